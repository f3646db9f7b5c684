"""Variadic functions: typed values, Python's own, and C's default promotions (C11 6.5.2.2p6)."""

from __future__ import annotations

import inspect

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentRangeError,
    ArgumentTypeError,
    ForeignOSError,
    Library,
    check_nonnegative,
    use_backend,
    variadic,
)

T = TYPES


@pytest.fixture
def sum_ints(library: Library):
    return library.bind("sum_ints", T["int"], [T["int"]], variadic=True)


@pytest.fixture
def sum_doubles(library: Library):
    return library.bind("sum_doubles", T["double"], [T["int"]], variadic=True)


def test_a_parameter_may_be_called_args(library: Library) -> None:
    function = library.bind("sum_ints", T["int"], [T["int"]], names=["args"], variadic=True)
    assert list(inspect.signature(function).parameters) == ["args", "args_"] and function(1, 5) == 5


def test_extra_arguments_are_typed_values_or_pythons_own(sum_ints, sum_doubles) -> None:
    assert sum_ints(0) == 0
    assert sum_ints(3, T["int"](10), 20, T["int"](-30)) == 0
    assert sum_doubles(2, 1.5, T["double"](2.5)) == 4.0
    assert sum_ints(2, True, False) == 1


@pytest.mark.parametrize("name", ["schar", "uchar", "short", "ushort", "int8", "uint16", "char", "bool"])
def test_integers_narrower_than_int_are_promoted_to_int(sum_ints, name: str) -> None:
    assert sum_ints(2, T[name](1), T[name](1)) == 2


def test_negative_narrow_integers_keep_their_sign(sum_ints) -> None:
    assert sum_ints(2, T["int8"](-1), T["short"](-300)) == -301


def test_float_is_promoted_to_double(sum_doubles) -> None:
    assert sum_doubles(2, T["float"](0.5), T["float"](0.25)) == 0.75


def test_an_integer_too_large_for_int_is_a_long_long(library: Library) -> None:
    sum_longlongs = library.bind("sum_longlongs", T["longlong"], [T["int"]], variadic=True)
    assert sum_longlongs(2, 2**40, -(2**41)) == 2**40 - 2**41
    assert sum_longlongs(1, 2**64 - 1) == -1  # passed as unsigned long long, read as signed


def test_text_bytes_and_none_are_pointers(library: Library) -> None:
    sum_lengths = library.bind("sum_lengths", T["size_t"], [T["int"]], variadic=True)
    assert sum_lengths(2, "grüß", b"abc") == 6 + 3
    assert sum_lengths(1, None) == T["size_t"].abi.bounds[1]
    assert sum_lengths(1, T["string"]("text")) == 4


def test_subclasses_and_index_objects_are_what_their_base_is(library: Library, sum_ints, sum_doubles) -> None:
    class Number(int):
        pass

    class Real(float):
        pass

    class Five:
        def __index__(self) -> int:
            return 5

    assert sum_ints(2, Number(3), Five()) == 8
    assert sum_doubles(1, Real(1.5)) == 1.5


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (object(), ArgumentTypeError, ["argument 3", "object", "c.int(3)"]),
        ([1], ArgumentTypeError, ["argument 3", "list"]),
        (2**64, ArgumentRangeError, ["argument 3", "does not fit"]),
        ("a\0b", ValueError, ["argument 3", "NUL"]),
    ],
)
def test_a_value_with_no_c_type_of_its_own_is_refused(sum_ints, value, error, words) -> None:
    with pytest.raises(error) as caught:
        sum_ints(2, 1, value)
    for word in ["sum_ints()", *words]:
        assert word in str(caught.value)


def test_a_typed_value_is_checked_when_it_is_made() -> None:
    with pytest.raises(ArgumentRangeError, match="200 does not fit int8"):
        T["int8"](200)
    assert repr(T["int"](3)) == "c.int(3)"


def test_the_fixed_arguments_are_needed_and_have_no_names_for_the_caller(sum_ints) -> None:
    with pytest.raises(ArgumentTypeError, match=r"sum_ints\(\) takes at least 1 argument, got 0"):
        sum_ints()
    with pytest.raises(
        ArgumentTypeError, match=r"sum_ints\(\) is variadic and takes no keywords, got 'count'"
    ):
        sum_ints(count=1)
    with pytest.raises(ArgumentTypeError, match=r"sum_ints\(\) argument 1: expected an integer"):
        sum_ints("1")


def test_a_check_serves_a_variadic_function(library: Library) -> None:
    fail = library.bind("fail_variadic", T["int"], [T["int"]], variadic=True, check=check_nonnegative)
    assert fail(0, 1.5) == 0
    with pytest.raises(FileNotFoundError) as caught:
        fail(2, 1.5, "x")
    assert isinstance(caught.value, ForeignOSError)


def test_every_combination_of_types_is_bound_once_up_to_a_limit(
    sum_ints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variadic, "COMBINATIONS", 4)
    for count in range(8):
        for _ in range(2):
            assert sum_ints(count, *[1] * count) == count
    assert len(sum_ints._bound) == 4


def test_a_function_shows_its_fixed_part_and_the_dots(library: Library, sum_ints) -> None:
    assert repr(sum_ints).startswith("<variadic foreign function sum_ints(int, ...) -> int at 0x")
    library.close()
    assert repr(sum_ints).endswith("closed>")


def test_the_backend_is_chosen_for_each_combination(sum_ints) -> None:
    assert sum_ints(1, 2) == 2
    with use_backend("ctypes"):
        assert sum_ints(2, 2, 3) == 5
