"""Aggregates that no register holds: large ones, over-aligned ones, ones with a long double inside."""

from __future__ import annotations

import ctypes
import random
import struct
import sys

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import (
    DOUBLE,
    INT32,
    INT64,
    LONGDOUBLE,
    POINTER,
    UINT8,
    AbiType,
    ArgumentError,
    Field,
    Signature,
    UnsupportedSignatureError,
    Upcall,
    aggregate,
)

SIZES = (17, 120, 128, 129, 200, 4096, 5000, 20000)


def large(size: int) -> AbiType:
    return aggregate(size, 1, (Field(0, UINT8, size),), f"large{size}")


def around(type: AbiType) -> list[AbiType]:
    return [INT32, type, DOUBLE, type, INT32]


def changed(before: int, value: bytes, between: float, other: bytes, after: int) -> bytes:
    """What C makes of it."""
    more = before + after + int(between)
    return bytes([(v + 2 * o + more) % 256 for v, o in zip(value, other, strict=True)])


@pytest.mark.parametrize("release_gil", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_large_aggregates_arrive_and_come_back(native: Native, size: int, release_gil: bool) -> None:
    native.needs("aggregates")
    type, dice = large(size), random.Random(size)
    function = native(f"change_large{size}", type, around(type), release_gil=release_gil)
    for _ in range(3):
        value, other = dice.randbytes(size), dice.randbytes(size)
        assert function(3, value, 2.0, other, -1) == changed(3, value, 2.0, other, -1)
        # What only the slow way takes.
        assert function(3, bytearray(value), 2.0, memoryview(other), -1) == changed(3, value, 2.0, other, -1)


@pytest.mark.parametrize("size", SIZES)
def test_large_aggregates_travel_through_callbacks(native: Native, size: int) -> None:
    native.needs("callbacks")
    type, dice = large(size), random.Random(size)
    value, other = dice.randbytes(size), dice.randbytes(size)
    seen = []

    def function(*arguments: object) -> bytes:
        seen.append(arguments)
        return other

    try:
        handle = native.backend.callback(function, Signature(type, around(type)))
    except UnsupportedSignatureError as error:
        pytest.skip(str(error))
    both = ctypes.create_string_buffer(value + other)
    out = ctypes.create_string_buffer(b"\xee" * (size + 16))
    call = native(f"call_large{size}", INT32, [POINTER, POINTER, POINTER])
    assert call(handle.address, ctypes.addressof(both), ctypes.addressof(out)) == 77
    assert seen == [(1, value, 2.5, other, 3)]
    assert out.raw[:size] == other
    assert out.raw[size : size + 16] == b"\xee" * 16


@pytest.mark.parametrize("given", [False, True], ids=["zero", "error value"])
@pytest.mark.parametrize("size", SIZES)
def test_a_callback_that_fails_returns_its_error_value(native: Native, size: int, given: bool) -> None:
    native.needs("callbacks")
    type = large(size)
    error = random.Random(size).randbytes(size) if given else None

    def function(*arguments: object) -> bytes:
        raise ZeroDivisionError

    try:
        handle = native.backend.callback(function, Upcall(Signature(type, around(type)), error=error))
    except UnsupportedSignatureError as error:
        pytest.skip(str(error))
    both = ctypes.create_string_buffer(2 * size)
    out = ctypes.create_string_buffer(b"\xee" * (size + 16))
    call = native(f"call_large{size}", INT32, [POINTER, POINTER, POINTER])
    with pytest.raises(ZeroDivisionError):
        call(handle.address, ctypes.addressof(both), ctypes.addressof(out))
    assert out.raw[:size] == (error or bytes(size))
    assert out.raw[size : size + 16] == b"\xee" * 16


@pytest.mark.parametrize("wrong", [b"", b"x" * 16, b"x" * 18, "x" * 17, None, 17])
def test_a_value_of_another_size_is_refused(native: Native, wrong: object) -> None:
    native.needs("aggregates")
    type = large(17)
    function = native("change_large17", type, around(type))
    with pytest.raises(ArgumentError, match="change_large17\\(\\) argument 4: expected 17 bytes for large17"):
        function(3, bytes(17), 2.0, wrong, -1)


def test_an_aggregate_too_large_for_any_stack_is_refused_or_passed(native: Native) -> None:
    """A backend may have a limit; it must say so, and not fail when the function is called."""
    native.needs("aggregates")
    type = large(20000)
    many = Signature(INT32, [type] * 1000)
    if not native.backend.supports(many):
        with pytest.raises(UnsupportedSignatureError):
            native.backend.bind(native.address("change_large20000"), many)


def test_a_long_double_may_be_inside(native: Native) -> None:
    native.needs("aggregates")
    size = LONGDOUBLE.size + LONGDOUBLE.alignment
    type = aggregate(size, LONGDOUBLE.alignment, (Field(0, LONGDOUBLE), Field(LONGDOUBLE.size, INT32)))
    function = native("change_with_long_double", type, [type])
    value = bytes(ctypes.c_longdouble(1.25)) + struct.pack("=i", 41)
    got = function(value.ljust(size, b"\0"))
    assert ctypes.c_longdouble.from_buffer_copy(got).value == 2.5
    assert got[LONGDOUBLE.size : LONGDOUBLE.size + 4] == struct.pack("=i", 42)


def test_a_long_double_alone_in_an_aggregate_is_passed(native: Native) -> None:
    native.needs("aggregates")
    type = aggregate(LONGDOUBLE.size, LONGDOUBLE.alignment, (Field(0, LONGDOUBLE),))
    function = native("take_only_long_double", DOUBLE, [INT32, type, INT32])
    assert function(3, bytes(ctypes.c_longdouble(0.5)), 5) == 15.5


@pytest.mark.parametrize("release_gil", [True, False])
def test_arguments_and_results_lie_as_their_alignment_says(native: Native, release_gil: bool) -> None:
    native.needs("aggregates")
    aligned32 = aggregate(32, 32, (Field(0, INT32),), "aligned32")
    aligned64 = aggregate(64, 64, (Field(0, INT64, 5),), "aligned64")
    types = [INT32, aligned32, INT32, aligned64, DOUBLE, aligned32, POINTER]
    function = native("misplaced", INT32, types, release_gil=release_gil)
    y, out = struct.pack("=8q", *range(8)), ctypes.create_string_buffer(64)
    x, z = (struct.pack("=i", n).ljust(32, b"\0") for n in (-5, 9))
    assert function(-5, x, 9, y, 0.5, z, ctypes.addressof(out)) == 0
    assert out.raw[:40] == y[:40]
    result = native("aligned_result", aligned64, [INT32], release_gil=release_gil)
    assert struct.unpack_from("=2q", result(7)) == (7, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="long double is double")
def test_what_an_x87_register_returns_is_not_claimed(native: Native) -> None:
    """A backend that supports it must do it right; the trampoline does not read such registers."""
    native.needs("aggregates")
    type = aggregate(LONGDOUBLE.size, LONGDOUBLE.alignment, (Field(0, LONGDOUBLE),))
    x87 = bytes(ctypes.c_longdouble(1.0))[8:10] == b"\xff\x3f"
    if native.backend.name == "trampoline":
        assert native.backend.supports(Signature(type)) is not x87
