"""Assemblers: instructions to bytes, one module for each instruction set.

`x86_64` and `aarch64` know encodings and labels, nothing of calling conventions or of Python; what the two
share is here and in `buffer`. Neither is imported from here, so that a process loads only the one it runs
on.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from .buffer import AssemblyError, CodeBuffer, Label

__all__ = [
    "AssemblyError",
    "CodeBuffer",
    "Forms",
    "IntRegister",
    "Label",
    "Register",
    "VectorRegister",
    "signed",
]

Key = TypeVar("Key")
Form = TypeVar("Form")


class Register(int):
    """A register: as an integer, its number in encodings; as text, its name. Immutable.

    Equal only to itself, unlike other integers: RAX, XMM0 and 0 have one number and are three things.
    """

    name: str

    def __new__(cls, number: int, name: str) -> Register:
        self = super().__new__(cls, number)
        object.__setattr__(self, "name", name)
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"register {self!r} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = int.__hash__

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


class IntRegister(Register):
    """A general-purpose register, 64 bits."""


class VectorRegister(Register):
    """A floating-point and vector register; used here for one float or double in its low bits."""


class Forms(dict[Key, Form]):
    """A table of instruction forms; asking for one that does not exist raises AssemblyError."""

    def __missing__(self, key: Any) -> NoReturn:
        raise AssemblyError(f"no instruction for operand size and kind {key!r}")


def signed(value: int, bits: int = 64) -> int:
    """`value` (-2**(bits-1) to 2**bits-1) as the signed integer with the same low `bits` bits."""
    if not -(1 << bits - 1) <= value < 1 << bits:
        raise AssemblyError(f"{value:#x} does not fit {bits} bits")
    return value - (1 << bits) if value >> bits - 1 > 0 else value
