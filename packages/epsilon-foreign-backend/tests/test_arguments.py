"""Arity, keywords, defaults, and the words of every error a caller can make."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import (
    BOOL,
    COMPLEX_DOUBLE,
    DOUBLE,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT64,
    AbiType,
    ArgumentError,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    Field,
    Marshal,
    Parameter,
    aggregate,
)

A, B = Parameter("a"), Parameter("b")
PAIR = aggregate(8, 4, (Field(0, INT32, 2),), "pair")


def test_keywords_serve_in_any_order(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], A, B)
    assert add(40, 2) == add(40, b=2) == add(a=40, b=2) == add(b=2, a=40) == 42


def test_defaults_fill_in(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], A, Parameter("b", default=2))
    assert add(40) == add(a=40) == 42
    assert add(40, 3) == add(40, b=3) == add(b=3, a=40) == 43
    none = native("is_null", INT32, [POINTER], Parameter("p", default=None))
    assert none() == 1
    assert none(5) == 0


def test_a_default_is_converted_like_any_argument(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], A, Parameter("b", default="two"))
    with pytest.raises(
        ArgumentTypeError, match=r"^add\(\) argument 2 \('b'\): expected an integer for int64, got str$"
    ):
        add(40)


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "add() is missing argument 1 ('a') and argument 2 ('b'): it takes 2 arguments"),
        ((1,), {}, "add() is missing argument 2 ('b'): it takes 2 arguments"),
        ((), {"b": 1}, "add() is missing argument 1 ('a'): it takes 2 arguments"),
        ((1, 2, 3), {}, "add() takes 2 arguments, got 3"),
        ((1, 2), {"b": 3}, "add() got argument 'b' twice"),
        ((1,), {"b": 2, "c": 3}, "add() has no parameter 'c'"),
        ((1,), {"": 2}, "add() is missing argument 2 ('b'): it takes 2 arguments"),
        ((1, 2), {"": 2}, "add() has no parameter ''"),
    ],
)
def test_wrong_arrangements_are_named(
    native: Native, args: tuple[Any, ...], kwargs: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        native("add", INT64, [INT64, INT64], A, B)(*args, **kwargs)
    assert str(caught.value) == words


def test_arity_is_said_in_words(native: Native) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^nothing\(\) takes no arguments, got 1$"):
        native("nothing")(1)
    with pytest.raises(ArgumentTypeError, match=r"^half\(\) is missing argument 1: it takes 1 argument$"):
        native("half", DOUBLE, [DOUBLE])()
    with pytest.raises(ArgumentTypeError, match=r"^add\(\) takes 1 to 2 arguments, got 3$"):
        native("add", INT64, [INT64, INT64], A, Parameter("b", default=1))(1, 2, 3)
    with pytest.raises(ArgumentTypeError, match="no parameter 'x'"):
        native("half", DOUBLE, [DOUBLE])(1.0, x=2.0)


def test_a_nameless_parameter_takes_no_keyword(native: Native) -> None:
    half = native("half", DOUBLE, [DOUBLE])
    for name in ("", "arg1", "x"):
        with pytest.raises(ArgumentTypeError):
            half(**{name: 1.0})


@pytest.mark.parametrize(
    ("type", "marshal", "value", "error", "words"),
    [
        (INT32, Marshal.VALUE, 1.0, ArgumentTypeError, "expected an integer for int32, got float"),
        (INT32, Marshal.VALUE, "1", ArgumentTypeError, "expected an integer for int32, got str"),
        (INT32, Marshal.VALUE, None, ArgumentTypeError, "expected an integer for int32, got None"),
        (INT32, Marshal.VALUE, int, ArgumentTypeError, "expected an integer for int32, got type"),
        (
            INT32,
            Marshal.VALUE,
            2**31,
            ArgumentRangeError,
            "2147483648 does not fit int32 (-2147483648 to 2147483647)",
        ),
        (UINT8, Marshal.VALUE, -1, ArgumentRangeError, "-1 does not fit uint8 (0 to 255)"),
        (
            UINT64,
            Marshal.VALUE,
            2**300,
            ArgumentRangeError,
            "an integer of 301 bits does not fit uint64 (0 to 18446744073709551615)",
        ),
        (BOOL, Marshal.VALUE, 2, ArgumentRangeError, "2 does not fit bool (0 or 1)"),
        (BOOL, Marshal.VALUE, "x", ArgumentTypeError, "expected True or False, got str"),
        (DOUBLE, Marshal.VALUE, "x", ArgumentTypeError, "expected a float, got str"),
        (DOUBLE, Marshal.VALUE, 1j, ArgumentTypeError, "expected a float, got complex"),
        (DOUBLE, Marshal.VALUE, float, ArgumentTypeError, "expected a float, got type"),
        (DOUBLE, Marshal.VALUE, 2**1024, ArgumentRangeError, "an integer of 1025 bits does not fit double"),
        (COMPLEX_DOUBLE, Marshal.VALUE, "x", ArgumentTypeError, "expected a complex number, got str"),
        (POINTER, Marshal.VALUE, "x", ArgumentTypeError, "expected an address (int) or None, got str"),
        (POINTER, Marshal.VALUE, -1, ArgumentRangeError, "-1 does not fit pointer (0 to 0xffffffffffffffff)"),
        (POINTER, Marshal.STRING, 1, ArgumentTypeError, "expected str, bytes or None, got int"),
        (
            POINTER,
            Marshal.STRING,
            bytearray(),
            ArgumentTypeError,
            "expected str, bytes or None, got bytearray",
        ),
        (
            POINTER,
            Marshal.STRING,
            "a\0",
            ArgumentValueError,
            "embedded NUL in 'a\\x00': C would see the string end there",
        ),
        (POINTER, Marshal.BYTES, "text", ArgumentTypeError, "expected bytes or None, got str"),
        (
            POINTER,
            Marshal.BUFFER,
            "text",
            ArgumentTypeError,
            "expected an object with the buffer protocol or None, got str",
        ),
        (PAIR, Marshal.VALUE, [1, 2], ArgumentTypeError, "expected 8 bytes for pair, got list"),
        (PAIR, Marshal.VALUE, b"1234567", ArgumentValueError, "expected 8 bytes for pair, got 7"),
    ],
)
def test_an_error_names_function_parameter_type_and_expectation(
    native: Native,
    type: AbiType,
    marshal: Marshal,
    value: object,
    error: builtins.type[ArgumentError],
    words: str,
) -> None:
    function = native("nothing", INT32, [INT32, type], Parameter("n"), Parameter("x", marshal), name="f")
    with pytest.raises(error) as caught:
        function(1, value)
    assert str(caught.value) == f"f() argument 2 ('x'): {words}"


def test_the_errors_are_also_the_builtin_ones(native: Native) -> None:
    echo = native("echo_int32", INT32, [INT32])
    for value, builtin in ((1.5, TypeError), (2**40, OverflowError)):
        with pytest.raises(builtin):
            echo(value)
    with pytest.raises(TypeError):
        echo()


def test_a_class_is_named_with_its_module(native: Native) -> None:
    class Apple:
        pass

    with pytest.raises(ArgumentTypeError, match=rf"got {__name__}\..*Apple$"):
        native("echo_int32", INT32, [INT32])(Apple())


def test_what_a_special_method_raises_passes_through_with_a_note(native: Native) -> None:
    class Sour:
        def __index__(self) -> int:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match=r"^mine") as caught:
        native("add", INT64, [INT64, INT64], A, B)(1, Sour())
    assert caught.value.__notes__ == ["while converting add() argument 2 ('b')"]


def test_a_converter_decides_alone(native: Native) -> None:
    seen = []

    def convert(value: object) -> int:
        seen.append(value)
        if value == "bad":
            raise ArgumentValueError("expected a fruit, got 'bad'")
        return {"apple": 1, "pear": 2}[str(value)]

    for marshal in (Marshal.OBJECT, Marshal.VALUE):
        seen.clear()
        echo = native("echo_int32", INT32, [INT32], Parameter("fruit", marshal, convert))
        assert echo("pear") == 2
        assert echo(fruit="apple") == 1
        with pytest.raises(
            ArgumentValueError, match=r"^echo_int32\(\) argument 1 \('fruit'\): expected a fruit"
        ):
            echo("bad")
        with pytest.raises(KeyError):
            echo("plum")
        assert seen == ["pear", "apple", "bad", "plum"]


def test_a_converter_with_object_marshal_sees_plain_numbers_too(native: Native) -> None:
    double = native("echo_int32", INT32, [INT32], Parameter("n", Marshal.OBJECT, lambda n: 2 * n))
    assert double(21) == 42
