"""Objects that Python code may pass where a number, a text or a buffer is expected, and that behave in odd
ways.
"""

from __future__ import annotations

import array
import enum
import fractions
from collections.abc import Callable
from typing import Any


class OwnError(Exception):
    """Raised by special methods below."""


def _raising(*args: object) -> Any:
    raise OwnError("mine")


def with_method(name: str, method: Callable[..., Any]) -> object:
    """An object whose class has one special method."""
    return type(f"Has{name.strip('_').title()}", (), {name: method})()


class Whole(int):
    """Says of itself what is not true; its value is what counts."""

    def __index__(self) -> int:
        return 99

    def __int__(self) -> int:
        return 98

    def __float__(self) -> float:
        return 97.0

    def __eq__(self, other: object) -> bool:
        return True

    def __ge__(self, other: object) -> bool:
        return True

    def __le__(self, other: object) -> bool:
        return True

    def __lt__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "whole"


class Plain(int):
    """A subclass without any opinion."""


class Real(float):
    """A float with another opinion about its value."""

    def __float__(self) -> float:
        return 2.25


class PlainReal(float):
    """A subclass without any opinion."""


class Text(str):
    """A str with its own idea of encoding."""

    def encode(self, *args: Any, **kwargs: Any) -> bytes:
        return b"wrong\0"

    def __str__(self) -> str:
        return "wrong"


class Octets(bytes):
    """bytes with their own idea of their content."""

    def __bytes__(self) -> bytes:
        return b"wrong"

    def __contains__(self, item: object) -> bool:
        return False

    def __len__(self) -> int:
        return 1


class Number(enum.IntEnum):
    """An IntEnum is an int, with a class of its own."""

    ONE = 1
    BIG = 2**40


class OnlyAttribute:
    """Has `__index__` and `__float__` as attributes of the object, where Python does not look."""

    def __init__(self) -> None:
        self.__dict__["__index__"] = lambda: 5
        self.__dict__["__float__"] = lambda: 5.0
        self.__dict__["__complex__"] = lambda: 5j


class NotAny:
    """Has special methods that are None: Python's way to say no."""

    __index__ = None
    __float__ = None
    __complex__ = None


class Unshowable:
    """Nothing to be done with it, not even a look."""

    def __repr__(self) -> str:
        raise OwnError("no repr")


class UnshowableInt(int):
    """As above, and it does not fit most types."""

    def __repr__(self) -> str:
        raise OwnError("no repr")


def released() -> memoryview:
    """A memoryview of nothing any more."""
    view = memoryview(bytearray(4))
    view.release()
    return view


def objects() -> dict[str, Callable[[], Any]]:
    """Makers of odd objects by name, so that every call gets a fresh one."""
    odd: dict[str, Callable[[], Any]] = {
        "none": lambda: None,
        "ellipsis": lambda: ...,
        "not implemented": lambda: NotImplemented,
        "object": object,
        "a class": lambda: int,
        "another class": lambda: float,
        "str class": lambda: str,
        "function": lambda: len,
        "list": lambda: [1],
        "tuple": lambda: (1,),
        "dict": lambda: {1: 2},
        "true": lambda: True,
        "false": lambda: False,
        "plain subclass": lambda: Plain(3),
        "plain subclass out of range": lambda: Plain(2**80),
        "lying subclass": lambda: Whole(3),
        "lying subclass out of range": lambda: Whole(2**80),
        "enum": lambda: Number.ONE,
        "big enum": lambda: Number.BIG,
        "unshowable": Unshowable,
        "unshowable int": lambda: UnshowableInt(2**90),
        "float subclass": lambda: PlainReal(1.5),
        "lying float": lambda: Real(1.5),
        "str subclass": lambda: Text("abc"),
        "str subclass with NUL": lambda: Text("a\0c"),
        "bytes subclass": lambda: Octets(b"abc"),
        "bytes subclass with NUL": lambda: Octets(b"a\0c"),
        "only attributes": OnlyAttribute,
        "methods that are None": NotAny,
        "fraction": lambda: fractions.Fraction(3, 2),
        "complex": lambda: 1 + 2j,
        "bytearray": lambda: bytearray(b"abc"),
        "read-only view": lambda: memoryview(b"abc"),
        "view with gaps": lambda: memoryview(bytearray(8))[::2],
        "view of two dimensions": lambda: memoryview(bytearray(8)).cast("B", (2, 4)),
        "released view": released,
        "array": lambda: array.array("d", [1.0]),
        "long text": lambda: "x" * 100_000,
        "surrogate": lambda: "\udc80",
        "wide text": lambda: "\U0001f40d" * 3,
        "digits": lambda: 10**5000,
    }
    for name in ("__index__", "__float__", "__complex__", "__int__", "__buffer__", "__bytes__", "__str__"):
        odd[f"{name} raises"] = lambda name=name: with_method(name, _raising)
        for label, result in RESULTS.items():
            odd[f"{name} returns {label}"] = lambda name=name, result=result: with_method(
                name, lambda self: result
            )
    return odd


RESULTS: dict[str, Any] = {
    "1": 1,
    "true": True,
    "2**70": 2**70,
    "1.5": 1.5,
    "1j": 1j,
    "text": "1",
    "none": None,
    "int subclass": Plain(1),
    "lying subclass": Whole(1),
    "float subclass": PlainReal(1.5),
}
