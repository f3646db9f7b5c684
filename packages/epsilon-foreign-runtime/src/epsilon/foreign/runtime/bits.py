"""Bit-fields: ``Bits[T, n]`` as a member's type, and reading and writing the bits where `layout` placed
them."""

from __future__ import annotations

import sys
from typing import Any

from epsilon.foreign.backend import ArgumentRangeError, Kind, window

from .arrays import literal
from .errors import DeclarationError
from .items import Load, Store
from .objects import check_live
from .types import ForeignType, resolve_type

_UNITS = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Bits:
    """``Bits[c.uint, 3]``: `width` bits of an integer type, bool or an enum; 0 bits end the current unit."""

    __slots__ = ("row", "width")

    def __init__(self, row: ForeignType, width: int) -> None:
        self.row = row
        self.width = width

    def __class_getitem__(cls, parameters: Any) -> Bits:
        if not isinstance(parameters, tuple) or len(parameters) != 2:
            raise DeclarationError("Bits[T, n] takes an integer type and a number of bits")
        return cls(resolve_type(parameters[0]), literal(parameters[1]))

    @property
    def signed(self) -> bool:
        """Does the top bit read as a sign?"""
        return self.row.abi.kind is Kind.SIGNED

    def __repr__(self) -> str:
        return f"Bits[{self.row.name}, {self.width}]"


def bit_access(bits: Bits, size: int, shift: int) -> tuple[Load, Store]:
    """Functions for a bit-field that lies `shift` bits into a unit of `size` bytes (see `layout.Placed`)."""
    width, mask = bits.width, (1 << bits.width) - 1
    sign = 1 << (width - 1) if bits.signed else 0
    low, high = -sign, mask - sign
    clear = ~(mask << shift)
    read_unit, write_unit = _unit(size)
    inward, outward = bits.row.to_foreign, bits.row.from_foreign
    if bits.row.abi.kind is Kind.BOOL:
        outward = bool

    def load(address: int, holder: Any) -> Any:
        number = (read_unit(address) >> shift) & mask
        number = (number ^ sign) - sign
        return number if outward is None else outward(number)

    def store(address: int, value: Any, holder: Any) -> None:
        number = value if type(value) is int else inward(value)
        if not low <= number <= high:
            raise ArgumentRangeError(f"{number} does not fit {width} bits ({low} to {high})")
        check_live(holder)
        write_unit(address, (read_unit(address) & clear) | ((number & mask) << shift))

    return load, store


def _unit(size: int) -> Any:
    """Reading and writing `size` bytes as one unsigned number."""
    code = _UNITS.get(size)
    if code is None:
        return (
            lambda address: int.from_bytes(window.read_bytes(address, size), sys.byteorder),
            lambda address, number: window.write_bytes(address, number.to_bytes(size, sys.byteorder)),
        )
    from .items import machine_word

    return machine_word(code)
