"""``@callback`` and ``callback(function, type)``: what people write, on functions of the C library."""

from __future__ import annotations

import enum
import inspect
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c

Compare = ffi.Callback[[ffi.Pointer[c.int], ffi.Pointer[c.int]], c.int]
VALUES = [5, 3, 9, 1]


@pytest.fixture
def qsort(libc: ffi.Library) -> Any:
    @libc.function
    def qsort(base: c.pointer, count: c.size_t, size: c.size_t, compare: Compare) -> None: ...

    return qsort


def sort(qsort: Any, compare: Any) -> list[int]:
    items = ffi.array(c.int, VALUES)
    qsort(items, len(items), ffi.sizeof(c.int), compare)
    return list(items)


def test_a_plain_function_serves_a_declared_one(qsort: Any) -> None:
    assert sort(qsort, lambda a, b: a[0] - b[0]) == sorted(VALUES)
    assert sort(qsort, compare=lambda a, b: b[0] - a[0]) == sorted(VALUES, reverse=True)


def test_a_decorated_function_is_a_callback_of_its_annotations(qsort: Any) -> None:
    @ffi.callback
    def compare(a: ffi.Pointer[c.int], b: ffi.Pointer[c.int]) -> c.int:
        """By value."""
        return a[0] - b[0]

    assert isinstance(compare, ffi.ForeignCallback)
    assert compare.type is Compare
    assert sort(qsort, compare) == sorted(VALUES)
    assert list(inspect.signature(compare).parameters) == ["a", "b"]
    assert compare.__name__ == "compare"
    assert compare.address


def test_annotations_are_evaluated_where_they_stand(backend: str) -> None:
    local = c.int8

    @ffi.callback(error=-1)
    def function(value: local, other: ffi.Pointer[local]) -> local:
        return value

    assert function.type is ffi.Callback[[c.int8, ffi.Pointer[c.int8]], c.int8]


def test_any_function_becomes_a_callback_of_a_type(qsort: Any) -> None:
    with ffi.callback(lambda a, b: a[0] - b[0], Compare) as compare:
        assert sort(qsort, compare) == sorted(VALUES)
    with pytest.raises(ffi.LifetimeError, match="was used after it was released"):
        sort(qsort, compare)

    @ffi.callback(type=Compare)
    def backwards(a: Any, b: Any) -> int:
        return b[0] - a[0]

    assert sort(qsort, backwards) == sorted(VALUES, reverse=True)


def test_an_exception_comes_out_of_the_call(qsort: Any) -> None:
    def compare(a: Any, b: Any) -> int:
        raise ValueError("cannot compare")

    with pytest.raises(ValueError, match=r"^cannot compare$") as caught:
        sort(qsort, compare)
    assert [entry.name for entry in caught.traceback][-1] == "compare"
    with pytest.raises(
        ffi.ArgumentTypeError, match=r"^the result of callback <lambda>\(\): expected an integer"
    ):
        sort(qsort, lambda a, b: "less")
    assert sort(qsort, lambda a, b: a[0] - b[0]) == sorted(VALUES)


def test_structs_hold_function_pointers(qsort: Any) -> None:
    @ffi.struct
    class handlers:
        compare: Compare
        spare: Compare

    table = handlers(compare=lambda a, b: a[0] - b[0])
    assert table.spare is None
    assert table.compare(ffi.array(c.int, [3]), ffi.array(c.int, [1])) == 2
    assert sort(qsort, table.compare) == sorted(VALUES)


def test_enums_are_parameters_and_results(backend: str) -> None:
    class order(enum.IntEnum):
        LESS = -1
        EQUAL = 0

    @ffi.callback
    def function(given: order) -> order:
        return given

    assert function.type.result.name == "order"


class ordinary:
    """No C type."""


def unannotated(a, b):
    return 0


def half(a: c.int, b) -> c.int:
    return 0


def without_result(a: c.int):
    return 0


def variadic(a: c.int, *more: object) -> c.int:
    return 0


def keyword_only(a: c.int, *, b: c.int) -> c.int:
    return 0


def wrong(a: int) -> c.int:
    return 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (unannotated, "no result type"),
        (half, "'b'"),
        (without_result, "no result type"),
        (variadic, "C cannot call a variadic callback"),
        (keyword_only, "C has no keyword-only parameters"),
        (wrong, "int is not a C type; did you mean"),
        (lambda a: a, "a lambda has no annotations"),
        (print, "expected an annotated function"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_not_declared_cannot_be_a_callback(function: Any, message: str) -> None:
    with pytest.raises(ffi.DeclarationError, match=message):
        ffi.callback(function)


def test_a_type_that_is_no_function_pointer_is_refused() -> None:
    for type in (c.int, ffi.Pointer[c.int]):
        with pytest.raises(ffi.DeclarationError, match="is not the type of a function pointer"):
            ffi.callback(print, type)
    with pytest.raises(ffi.DeclarationError):
        ffi.callback(print, ordinary)


def test_an_error_value_and_a_handler_belong_to_the_type(backend: str) -> None:
    with pytest.raises(ffi.ArgumentError, match="expected an integer for int, got str"):
        ffi.callback(print, Compare, error="less")
    with pytest.raises(ffi.ArgumentError, match="onerror, got int"):
        ffi.callback(print, Compare, onerror=1)
    assert not ffi.callback(print, Compare, error=-1, onerror=print).released
