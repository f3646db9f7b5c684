"""What functions of the interpreting backends do inline is what the converters do."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import pytest
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import (
    INT32,
    POINTER,
    VOID,
    Address,
    ArgumentError,
    Binding,
    Guard,
    Marshal,
    Parameter,
    Signature,
    aggregate,
    converter,
)
from epsilon.foreign.backend.binding import validate
from epsilon.foreign.backend.function import ForeignFunction, foreign_function

PAIR = aggregate(4, 1, (abi.Field(0, abi.UINT8, 4),))
SCALARS = [
    abi.BOOL, abi.INT8, abi.INT16, INT32, abi.INT64, abi.UINT8, abi.UINT16, abi.UINT32, abi.UINT64,
    abi.FLOAT, abi.DOUBLE, abi.LONGDOUBLE, abi.COMPLEX_FLOAT, abi.COMPLEX_DOUBLE, POINTER, PAIR,
]  # fmt: skip
CASES = [(type, Marshal.VALUE) for type in SCALARS] + [
    (POINTER, marshal) for marshal in (Marshal.STRING, Marshal.BYTES, Marshal.OBJECT)
]


class Wise(int):
    def __index__(self):
        return 7


class Text(str):
    pass


VALUES = [
    None, True, False, 0, 1, -1, 2, 127, 128, -128, -129, 255, 256, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1,
    2**32 - 1, 2**32, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64, 10**400, Wise(3), Address(9), 0.5, -0.0,
    float("inf"), 1j, Fraction(1, 2), "", "text", "with\0NUL", "Grüße", "\ud800", Text("text"), b"", b"four",
    b"a\0b", bytearray(b"four"), memoryview(b"four"), object(), [], VOID,
]  # fmt: skip


def echo(*values):
    return values


def bound(binding: Binding, invoke=echo) -> ForeignFunction:
    return foreign_function(1, validate(binding), invoke, "none")


def outcome(call, value):
    """What a conversion comes to: a value with its type, or an error's class and text."""
    try:
        result = call(value)
    except Exception as error:
        return type(error), str(error), getattr(error, "__notes__", [])
    return type(result), result


@pytest.mark.parametrize(("type", "marshal"), CASES)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_a_function_makes_of_a_value_what_the_converter_makes_of_it(type, marshal, value) -> None:
    function = bound(Binding(Signature(VOID, [type]), "f", (Parameter("x", marshal),)))
    convert = converter(type, marshal)

    def converted(value):
        try:
            return convert(value)
        except ArgumentError as error:
            raise error.__class__(f"f() argument 1 ('x'): {error}") from None
        except Exception as error:
            error.add_note("while converting f() argument 1 ('x')")
            raise

    got, wanted = outcome(lambda v: function(v)[0], value), outcome(converted, value)
    assert got == wanted


class Case(NamedTuple):
    guard: Guard
    plain: list[object]
    finished: list[object]


@pytest.mark.parametrize(
    "case",
    [
        Case(Guard.ALWAYS, [], [0, 1, -1]),
        Case(Guard.NEGATIVE, [0, 5], [-1]),
        Case(Guard.NONZERO, [0], [1, -1]),
        Case(Guard.ZERO, [1, -1], [0]),
    ],
    ids=lambda case: case.guard.value,
)
@pytest.mark.parametrize("errno", [False, True])
def test_finish_sees_a_result_when_its_guard_says(case: Case, errno) -> None:
    def finish(*given):
        return "finished", given

    binding = Binding(Signature(INT32), "f", finish=finish, guard=case.guard, capture_errno=errno)
    for result in case.plain:
        assert bound(binding, lambda result=result: (result, 3) if errno else result)() == result
    for result in case.finished:
        given = (result, 3) if errno else (result,)
        call = bound(binding, lambda result=result: (result, 3) if errno else result)
        assert call() == ("finished", given)


def test_functions_of_one_shape_share_their_code() -> None:
    first = bound(Binding(Signature(INT32, [INT32, POINTER]), "first"))
    second = bound(Binding(Signature(VOID, [INT32, POINTER]), "second", doc="Another."))
    assert type(first) is type(second)
    assert type(first) is not type(bound(Binding(Signature(INT32, [POINTER]), "third")))
    assert type(first).__name__ == "ForeignFunction"


def test_arguments_by_keyword_and_defaults_are_put_in_order() -> None:
    parameters = (Parameter("self"), Parameter("a1", default=5), Parameter("named", default=6))
    function = bound(Binding(Signature(VOID, [INT32] * 3), "f", parameters))
    assert function(1) == (1, 5, 6)
    assert function(1, named=2) == (1, 5, 2)
    assert function(named=1, self=2, a1=3) == (2, 3, 1)
    with pytest.raises(TypeError, match=r"f\(\) takes 1 to 3 arguments, got 4"):
        function(1, 2, 3, 4)
    with pytest.raises(TypeError, match="twice"):
        function(1, self=1)
    with pytest.raises(TypeError, match="no parameter 'more'"):
        function(1, more=1)


def test_a_library_closed_while_arguments_are_converted_is_not_called() -> None:
    class Closing:
        def __index__(self):
            function.redirect(None, None)
            return 1

    function = bound(Binding(Signature(VOID, [INT32]), "f"))
    for _ in range(2):  # in the midst of the first call, and before the second
        with pytest.raises(abi.ClosedLibraryError, match=r"f\(\)"):
            function(Closing())
    function.redirect(1, echo)
    assert function(2) == (2,)
