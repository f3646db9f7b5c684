"""Every scalar type at its bounds: in as a value, in from memory, out as a result, and through an upcall."""

from __future__ import annotations

import math
import struct
import sys

import pytest
from backend_support.native import Native
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import POINTER, VOID, AbiType, ArgumentRangeError, Kind

INTEGERS = [getattr(abi, f"{sign}INT{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)]
FLOATS = [0.0, -0.0, 1.0, -1.5, 2.0**-126, 2.0**-149, 3.4028234663852886e38, math.inf, -math.inf, math.nan]
DOUBLES = [*FLOATS, sys.float_info.max, sys.float_info.min, 5e-324, math.pi]


def integer_values(type: AbiType) -> list[int]:
    low, high = type.bounds
    return sorted({low, low + 1, -1 if low else 0, 0, 1, 42, high // 2, high // 2 + 1, high - 1, high})


def same(one: object, other: object) -> bool:
    """Equal in type and value; NaN equals NaN, and zeros differ by sign."""
    return type(one) is type(other) and repr(one) == repr(other)


SCALARS = [
    *((t.name, t, integer_values(t)) for t in INTEGERS),
    ("bool", abi.BOOL, [True, False]),
    ("float", abi.FLOAT, FLOATS),
    ("double", abi.DOUBLE, DOUBLES),
    ("longdouble", abi.LONGDOUBLE, DOUBLES),
    ("complex_float", abi.COMPLEX_FLOAT, [complex(a, b) for a in FLOATS for b in FLOATS[:4]]),
    ("complex_double", abi.COMPLEX_DOUBLE, [complex(a, b) for a in DOUBLES for b in FLOATS[:4]]),
    ("pointer", abi.POINTER, [None, 1, 0x7FFF_FFFF_F000, 2**64 - 1]),
]
scalars = pytest.mark.parametrize(("name", "type", "values"), SCALARS, ids=[row[0] for row in SCALARS])
policies = pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])


@scalars
@policies
def test_a_value_goes_in_and_comes_back(
    native: Native, name: str, type: AbiType, values: list[object], release_gil: bool
) -> None:
    echo = native(f"echo_{name}", type, [type], release_gil=release_gil)
    for value in values:
        assert same(echo(value), value), f"{value!r} became {echo(value)!r}"


@scalars
def test_memory_holds_what_was_stored_and_loads_it(
    native: Native, name: str, type: AbiType, values: list[object]
) -> None:
    store = native(f"store_{name}", VOID, [type, POINTER])
    load = native(f"load_{name}", type, [POINTER])
    cell = native.backend.alloc(type.size, max(type.alignment, 1))
    try:
        for value in values:
            assert store(value, cell) is None
            assert same(load(cell), value)
    finally:
        native.backend.free(cell)


@scalars
@policies
def test_errno_capture_leaves_the_value_alone(
    native: Native, name: str, type: AbiType, values: list[object], release_gil: bool
) -> None:
    echo = native(f"echo_{name}", type, [type], release_gil=release_gil, capture_errno=True)
    assert all(same(echo(value), value) for value in values)


@pytest.mark.parametrize("type", INTEGERS, ids=[t.name for t in INTEGERS])
def test_an_integer_that_does_not_fit_raises(native: Native, type: AbiType) -> None:
    echo = native(f"echo_{type.name}", type, [type])
    low, high = type.bounds
    for value in (low - 1, high + 1, -(2**63) - 1, 2**64, -(2**64), 2**70, -(2**200), 10**5000):
        with pytest.raises(ArgumentRangeError, match=f"does not fit {type.name}"):
            echo(value)


@pytest.mark.parametrize("type", INTEGERS, ids=[t.name for t in INTEGERS])
def test_a_narrow_result_ignores_the_rest_of_the_register(native: Native, type: AbiType) -> None:
    expected = int.from_bytes(
        struct.pack("<Q", 0xDEADBEEFCAFEF0A1)[: type.size], "little", signed=type.kind is Kind.SIGNED
    )
    assert native("whole_register", type)() == expected


def test_a_bool_result_ignores_the_rest_of_the_register(native: Native) -> None:
    assert native("whole_register_true", abi.BOOL)() is True
    assert native("whole_register_false", abi.BOOL)() is False


@pytest.mark.parametrize(
    ("type", "value", "seen"),
    [
        (abi.INT8, -1, 0xFFFFFFFF),
        (abi.INT8, -128, 0xFFFFFF80),
        (abi.UINT8, 255, 255),
        (abi.INT16, -2, 0xFFFFFFFE),
        (abi.UINT16, 65535, 65535),
        (abi.BOOL, True, 1),
    ],
    ids=str,
)
def test_a_narrow_argument_is_extended_to_a_word(
    native: Native, type: AbiType, value: int, seen: int
) -> None:
    """Compilers for x86-64 rely on that although the ABI does not say it."""
    assert native("low_word", abi.UINT32, [type])(value) == seen


def test_a_float_is_rounded_to_single_precision(native: Native) -> None:
    echo = native("echo_float", abi.FLOAT, [abi.FLOAT])
    assert echo(0.1) == struct.unpack("f", struct.pack("f", 0.1))[0]
    assert echo(1e300) == math.inf
    assert echo(-1e300) == -math.inf
    assert echo(1e-300) == 0.0


def test_long_double_arithmetic_is_done_in_its_own_precision(native: Native) -> None:
    assert native("third", abi.LONGDOUBLE)() == 1.0 / 3.0
    assert native("times_three", abi.LONGDOUBLE, [abi.LONGDOUBLE])(1.5) == 4.5


def test_complex_numbers_compute_among_other_arguments(native: Native) -> None:
    assert native("times_i", abi.COMPLEX_DOUBLE, [abi.COMPLEX_DOUBLE])(3 + 4j) == -4 + 3j
    among = native(
        "among_complex",
        abi.COMPLEX_DOUBLE,
        [abi.INT32, abi.COMPLEX_DOUBLE, abi.COMPLEX_FLOAT, abi.DOUBLE],
    )
    assert among(1, 2 + 3j, 0.5 - 1j, 10.0) == 13.5 + 2j


def test_nothing_in_nothing_out(native: Native) -> None:
    for release_gil in (True, False):
        assert native("nothing", release_gil=release_gil)() is None


def test_numbers_of_other_types_serve(native: Native) -> None:
    half = native("half", abi.DOUBLE, [abi.DOUBLE])
    assert half(3) == 1.5
    assert half(True) == 0.5
    add = native("add", abi.INT64, [abi.INT64, abi.INT64])
    assert add(True, False) == 1
    assert add(2**62, -(2**62)) == 0
    assert native("echo_bool", abi.BOOL, [abi.BOOL])(1) is True
    assert native("echo_complex_double", abi.COMPLEX_DOUBLE, [abi.COMPLEX_DOUBLE])(2) == 2 + 0j


def test_call_binds_by_itself(native: Native) -> None:
    signature = abi.Signature(abi.INT64, [abi.INT64, abi.INT64])
    address = native.address("add")
    for _ in range(3):
        assert native.backend.call(address, signature, [40, 2]) == 42
