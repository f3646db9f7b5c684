"""Subclasses of the builtin types count for their own value, whatever their methods say of it."""

from __future__ import annotations

import pytest
from backend_support.native import Native
from backend_support.odd_objects import Number, Octets, Plain, PlainReal, Real, Text, Whole
from epsilon.foreign.backend import (
    BOOL,
    COMPLEX_DOUBLE,
    DOUBLE,
    INT8,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT64,
    AbiType,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    Marshal,
    Parameter,
)


@pytest.mark.parametrize(
    ("symbol", "type", "value", "result"),
    [
        ("echo_int8", INT8, Plain(-3), -3),
        ("echo_int32", INT32, Whole(3), 3),
        ("echo_int64", INT64, Number.BIG, 2**40),
        ("echo_int64", INT64, True, 1),
        ("echo_uint64", UINT64, Whole(2**64 - 1), 2**64 - 1),
        ("echo_bool", BOOL, Plain(1), True),
        ("echo_bool", BOOL, Whole(1), True),
        ("echo_bool", BOOL, Number.ONE, True),
        ("echo_double", DOUBLE, PlainReal(1.5), 1.5),
        ("echo_double", DOUBLE, Real(1.5), 2.25),
        ("echo_double", DOUBLE, Number.BIG, 2.0**40),
        ("echo_double", DOUBLE, True, 1.0),
        ("echo_double", DOUBLE, Plain(3), 3.0),
        ("echo_double", DOUBLE, Whole(3), 3.0),
        ("echo_complex_double", COMPLEX_DOUBLE, Plain(3), 3 + 0j),
        ("echo_pointer", POINTER, Whole(77), 77),
    ],
)
def test_a_number_is_what_it_holds(
    native: Native, symbol: str, type: AbiType, value: object, result: object
) -> None:
    got = native(symbol, type, [type])(value)
    assert repr(got) == repr(result)


@pytest.mark.parametrize(
    ("symbol", "type", "value"),
    [
        ("echo_int8", INT8, Whole(128)),
        ("echo_uint8", UINT8, Whole(-1)),
        ("echo_int64", INT64, Whole(2**63)),
        ("echo_bool", BOOL, Whole(2)),
        ("echo_pointer", POINTER, Whole(-1)),
        ("echo_pointer", POINTER, Whole(2**64)),
        ("echo_int32", INT32, Number.BIG),
    ],
)
def test_no_subclass_talks_itself_past_the_bounds(
    native: Native, symbol: str, type: AbiType, value: object
) -> None:
    with pytest.raises(ArgumentRangeError, match="does not fit"):
        native(symbol, type, [type])(value)


@pytest.mark.parametrize("value", [PlainReal(1.0), Real(1.0), Text("1"), Octets(b"1")])
def test_a_float_or_a_text_is_no_integer(native: Native, value: object) -> None:
    with pytest.raises(ArgumentTypeError, match="expected an integer for int32"):
        native("echo_int32", INT32, [INT32])(value)


def test_texts_and_bytes_are_what_they_hold(native: Native) -> None:
    total = native("checksum", UINT64, [POINTER, UINT64], Parameter("text", Marshal.STRING))
    assert total(Text("abc"), 3) == total("abc", 3)
    assert total(Octets(b"abc"), 3) == total("abc", 3)
    for marshal in (Marshal.BYTES, Marshal.BUFFER):
        total = native("checksum", UINT64, [POINTER, UINT64], Parameter("data", marshal))
        assert total(Octets(b"abc"), 3) == total(b"abc", 3)


@pytest.mark.parametrize("value", [Text("a\0b"), Octets(b"a\0b")])
def test_no_subclass_hides_its_nul(native: Native, value: object) -> None:
    with pytest.raises(ArgumentValueError, match="embedded NUL"):
        native("length", INT64, [POINTER], Parameter("text", Marshal.STRING))(value)
