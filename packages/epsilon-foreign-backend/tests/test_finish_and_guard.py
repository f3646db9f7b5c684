"""`finish` sees the natural result, and with a guard only the results it is for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT32,
    UINT64,
    AbiType,
    Binding,
    Guard,
    Marshal,
    Signature,
)

NULL_TEXT, EMPTY_TEXT, PLAIN_TEXT = 0, 1, 2
DUE = "due"


def due(result: object) -> object:
    return DUE, result


@pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])
@pytest.mark.parametrize(
    ("type", "guard", "passing", "caught"),
    [
        (INT8, Guard.NEGATIVE, [0, 1, 127], [-1, -128]),
        (INT16, Guard.NEGATIVE, [0, 1, 32767], [-1, -32768]),
        (INT32, Guard.NEGATIVE, [0, 1, 2**31 - 1], [-1, -(2**31)]),
        (INT64, Guard.NEGATIVE, [0, 1, 2**63 - 1, 2**31, 2**32 - 1], [-1, -(2**63)]),
        (UINT8, Guard.NEGATIVE, [0, 255], []),
        (UINT64, Guard.NEGATIVE, [0, 2**64 - 1], []),
        (INT8, Guard.NONZERO, [0], [1, -1, -128]),
        (INT32, Guard.NONZERO, [0], [1, -1]),
        (INT64, Guard.NONZERO, [0], [1, 2**32, -(2**63)]),
        (UINT32, Guard.NONZERO, [0], [2**32 - 1]),
        (INT8, Guard.ZERO, [1, -1], [0]),
        (INT64, Guard.ZERO, [1, 2**32, -(2**63)], [0]),
        (BOOL, Guard.ZERO, [True], [False]),
        (BOOL, Guard.NONZERO, [False], [True]),
        (POINTER, Guard.ZERO, [1, 2**63], [None]),
        (POINTER, Guard.NONZERO, [None], [1, 2**63]),
        (DOUBLE, Guard.NEGATIVE, [0.0, -0.0, 1.5, math.inf, math.nan], [-1.5, -5e-324, -math.inf]),
        (DOUBLE, Guard.ZERO, [1.5, math.nan, -5e-324], [0.0, -0.0]),
        (DOUBLE, Guard.NONZERO, [0.0, -0.0], [1.5, math.nan, -5e-324]),
        (FLOAT, Guard.NEGATIVE, [0.0, 1.5], [-1.5]),
        (INT32, Guard.ALWAYS, [], [0, 1, -1]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_guard_calls_finish_only_when_due(
    native: Native,
    type: AbiType,
    guard: Guard,
    passing: list[object],
    caught: list[object],
    release_gil: bool,
) -> None:
    symbol = f"echo_{type.name}"
    function = native(symbol, type, [type], finish=due, guard=guard, release_gil=release_gil)
    for value in passing:
        assert repr(function(value)) == repr(value)
    for value in caught:
        assert repr(function(value)) == repr((DUE, value))


def test_a_guard_looks_at_the_pointer_of_a_string(native: Native) -> None:
    def text(guard: Guard) -> Callable[..., Any]:
        return native("text", POINTER, [INT32], result_marshal=Marshal.STRING, finish=due, guard=guard)

    assert text(Guard.ZERO)(NULL_TEXT) == (DUE, None)
    assert text(Guard.ZERO)(EMPTY_TEXT) == ""
    assert text(Guard.NONZERO)(NULL_TEXT) is None
    assert text(Guard.NONZERO)(EMPTY_TEXT) == (DUE, "")
    assert text(Guard.NONZERO)(PLAIN_TEXT) == (DUE, "plain")


def test_a_guard_without_finish_does_nothing(native: Native) -> None:
    assert native("echo_int32", INT32, [INT32], guard=Guard.NEGATIVE)(-1) == -1


def test_what_finish_raises_passes_through(native: Native) -> None:
    class OwnError(Exception):
        pass

    def finish(result: object) -> object:
        raise OwnError(result)

    function = native("echo_int32", INT32, [INT32], finish=finish)
    with pytest.raises(OwnError, match="42"):
        function(42)
    with pytest.raises(KeyboardInterrupt):
        native("echo_int32", INT32, [INT32], finish=interrupted)(42)


def interrupted(result: object) -> object:
    raise KeyboardInterrupt


def test_finish_sees_void_as_none(native: Native) -> None:
    assert native("nothing", finish=due)() == (DUE, None)


@pytest.mark.parametrize("result", ["VOID", "POINTER"])
def test_a_guard_that_the_result_cannot_have_is_refused(native: Native, result: str) -> None:
    from epsilon.foreign import backend as abi

    signature = Signature(getattr(abi, result))
    with pytest.raises(ValueError, match="cannot be guarded as negative"):
        native.backend.bind(1, Binding(signature, "f", finish=due, guard=Guard.NEGATIVE))
