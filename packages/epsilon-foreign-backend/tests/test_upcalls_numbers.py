"""Numbers that C gives to callbacks: right at every edge, and never changed once Python code refers to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import DOUBLE, FLOAT, INT64, POINTER, AbiType, CallbackHandle, Signature

INTEGERS = [getattr(abi, f"{sign}INT{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)]
#: Where the representation of an int changes: the shared small ones, one digit and two.
EDGES = (0, 1, 4, 5, 6, 255, 256, 257, 258, 2**15, 2**29, 2**30 - 1, 2**30, 2**30 + 1, 2**60, 2**62)


def made(native: Native, function: Callable[..., Any], signature: Signature) -> CallbackHandle:
    """A callback, where the backend makes any."""
    native.needs("callbacks")
    return native.backend.callback(function, signature)


def numbers(type: AbiType) -> list[int]:
    """Edges within the type's bounds, again and again in another order."""
    low, high = type.bounds
    found = [n for edge in EDGES for n in (edge, -edge, high - edge, low + edge) if low <= n <= high]
    return random.Random(7).sample(found * 3, 3 * len(found))


@pytest.mark.parametrize("type", INTEGERS, ids=lambda type: type.name)
@pytest.mark.parametrize("keeps", [False, True], ids=["dropping", "keeping"])
def test_integers_are_what_c_passed(native: Native, type: AbiType, keeps: bool) -> None:
    kept: list[int] = []

    def function(value: int) -> int:
        if keeps:
            kept.append(value)
        return value

    handle = made(native, function, Signature(type, [type]))
    call = native(f"upcall_{type.name}", type, [POINTER, type])
    values = numbers(type)
    assert [call(handle.address, value) for value in values] == values
    assert kept == (values if keeps else [])


@pytest.mark.parametrize("type", [FLOAT, DOUBLE], ids=lambda type: type.name)
@pytest.mark.parametrize("keeps", [False, True], ids=["dropping", "keeping"])
def test_floats_are_what_c_passed(native: Native, type: AbiType, keeps: bool) -> None:
    kept: list[float] = []

    def function(value: float) -> float:
        if keeps:
            kept.append(value)
        return value

    handle = made(native, function, Signature(type, [type]))
    call = native(f"upcall_{type.name}", type, [POINTER, type])
    values = [0.5, -0.0, 2.0**100, float("inf"), float("nan"), 2.0**-100, -3.25] * 3  # a float holds them all
    assert repr([call(handle.address, value) for value in values]) == repr(values)
    assert repr(kept) == repr(values if keeps else [])


@pytest.mark.parametrize(
    "keep",
    [
        lambda kept, value: kept.append(value),
        lambda kept, value: kept.append({value: None}),
        lambda kept, value: kept.append(lambda: value),
        lambda kept, value: kept.append(x for x in [value]),
        lambda kept, value: kept.append((value, value)),
    ],
    ids=["itself", "as a key", "in a closure", "in a generator", "twice"],
)
def test_a_number_that_is_kept_stays_what_it_was(
    native: Native, keep: Callable[[list[Any], int], None]
) -> None:
    kept: list[Any] = []

    def function(value: int) -> int:
        if value % 3 == 0:
            keep(kept, value)
        return 0

    handle = made(native, function, Signature(INT64, [INT64]))
    native("call_times", INT64, [POINTER, INT64])(handle.address, 3000)

    def shown(thing: Any) -> int:
        if callable(thing):
            return int(thing())
        return int(thing if isinstance(thing, int) else next(iter(thing)))

    assert [shown(thing) for thing in kept] == list(range(0, 3000, 3))


def test_a_number_in_a_traceback_stays_what_it_was(native: Native) -> None:
    def function(value: int) -> int:
        if value == 1234:
            raise LookupError("here")
        return 0

    handle = made(native, function, Signature(INT64, [INT64]))
    call = native("call_times", INT64, [POINTER, INT64])
    with pytest.raises(LookupError) as caught:
        call(handle.address, 2000)
    quiet = made(native, lambda value: value, Signature(INT64, [INT64]))
    call(quiet.address, 5000)
    assert caught.traceback[-1].frame.f_locals["value"] == 1234


def test_nested_calls_have_numbers_of_their_own(native: Native) -> None:
    call = native("upcall_int64", INT64, [POINTER, INT64])
    seen: list[int] = []

    def function(value: int) -> int:
        if value > 1000:
            call(handle.address, value - 1)
        seen.append(value)
        return value

    handle = made(native, function, Signature(INT64, [INT64]))
    for value in (1001, 1020, 1040):
        assert call(handle.address, value) == value
        assert seen == list(range(1000, value + 1))
        seen.clear()
