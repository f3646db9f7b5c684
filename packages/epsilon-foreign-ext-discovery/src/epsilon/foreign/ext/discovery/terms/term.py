"""Terms: the types of `epsilon.foreign.api` as data."""

from __future__ import annotations

from typing import TypeAlias

from ..values import dataclass


@dataclass(frozen=True, slots=True)
class Void:
    """``None``: no result, or what an untyped pointer points to."""


VOID = Void()


@dataclass(frozen=True, slots=True)
class C:
    """``c.int``, ``c.string`` ...: a row of the type table."""

    name: str


@dataclass(frozen=True, slots=True)
class Named:
    """A struct, union or enum class by its name in Python; `record` or `enum` is its key in the IR."""

    name: str
    record: str = ""
    enum: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """The type that a typedef stands for, with the typedef's name in Python, which may be printed instead."""

    name: str
    term: Term


@dataclass(frozen=True, slots=True)
class Pointer:
    """``Pointer[target]``."""

    target: Term


@dataclass(frozen=True, slots=True)
class Const:
    """``Const[term]``."""

    term: Term


@dataclass(frozen=True, slots=True)
class Array:
    """``Array[element, count]``; a count of None is a flexible array, ``Array[element, ...]``."""

    element: Term
    count: int | None


@dataclass(frozen=True, slots=True)
class Callback:
    """``Callback[[parameters], result]``."""

    parameters: tuple[Term, ...]
    result: Term


@dataclass(frozen=True, slots=True)
class Bits:
    """``Bits[term, width]``."""

    term: Term
    width: int


@dataclass(frozen=True, slots=True)
class Anonymous:
    """``Anonymous[term]``."""

    term: Term


@dataclass(frozen=True, slots=True)
class Aligned:
    """``Aligned[term, bytes]``."""

    term: Term
    bytes: int


Term: TypeAlias = Void | C | Named | Alias | Pointer | Const | Array | Callback | Bits | Anonymous | Aligned


class Refused(Exception):
    """A type has no term; the message says why."""
