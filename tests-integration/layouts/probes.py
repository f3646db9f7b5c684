"""What is asked of C about one type, and what the answers must be."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from epsilon.foreign.backend import AbiType, Kind
from epsilon.foreign.runtime.layout import Placed
from random_types import SCALARS, Aggregate, Declared

from .described import Described

Value = int | float | complex


@dataclass(frozen=True)
class Spot:
    """A member reached from the outermost type: its C expression after the dot, and where we think it is.

    `base` is the offset of the aggregate it is declared in, `element` that of the array element meant.
    """

    path: str
    declared: Declared
    placed: Placed
    base: int
    element: int = 0

    @property
    def offset(self) -> int:
        """Bytes from the start of the outermost type."""
        return self.base + self.placed.offset + self.element


@dataclass(frozen=True)
class Probe:
    """C fills the struct with `fill`, assigns `value` to `spot`, and writes out all its bytes."""

    spot: Spot
    fill: int
    value: Value

    @property
    def type(self) -> AbiType:
        """The scalar assigned."""
        return SCALARS[str(self.spot.declared.type)]

    def expected(self, size: int, long_double: bytes) -> bytes:
        """The struct's bytes when ours is the right place."""
        data = bytearray([self.fill]) * size
        placed, offset = self.spot.placed, self.spot.offset
        if self.spot.declared.bits is None:
            content = encoded(self.type, self.value, long_double)
            data[offset : offset + len(content)] = content
        else:
            unit = data[offset : offset + placed.size]
            mask = (1 << placed.width) - 1
            bits = int.from_bytes(unit, sys.byteorder) & ~(mask << placed.shift)
            bits |= (int(self.value.real) & mask) << placed.shift
            data[offset : offset + placed.size] = bits.to_bytes(placed.size, sys.byteorder)
        return bytes(data)


def encoded(type: AbiType, value: Value, long_double: bytes) -> bytes:
    """The bytes that C writes when it assigns `value`; for a long double that is always 1.5."""
    if type.kind is Kind.COMPLEX:
        return struct.pack("=2f" if type.size == 8 else "=2d", value.real, value.imag)
    if type.kind is Kind.FLOAT:
        return long_double if type.size > 8 else struct.pack("=f" if type.size == 4 else "=d", value)
    return (int(value.real) & ((1 << 8 * type.size) - 1)).to_bytes(type.size, sys.byteorder)


def literal(type: AbiType, value: Value) -> str:
    """`value` in C."""
    if type.kind is Kind.COMPLEX:
        letter = "f" if type.size == 8 else ""
        return f"__builtin_complex({value.real!r}{letter}, {value.imag!r}{letter})"
    if type.kind is Kind.FLOAT:
        return f"{value!r}{'L' if type.size > 8 else ''}"
    number = f"{int(value.real) & (1 << 64) - 1:#x}ULL"
    return f"(void *){number}" if type.kind is Kind.POINTER else number


def spots(described: Described, dice: random.Random, path: str = "", base: int = 0) -> Iterator[Spot]:
    """Every named member at every depth, with one element of each array on the way and one of its own."""
    members = zip(described.declared.members, described.layout.placed, described.inner, strict=True)
    for declared, placed, below in members:
        yield from _member_spots(declared, placed, below, dice, path, base)


def _member_spots(
    declared: Declared, placed: Placed, below: Described | None, dice: random.Random, path: str, base: int
) -> Iterator[Spot]:
    if declared.name is None:
        if below is not None:
            yield from spots(below, dice, path, base + placed.offset)
        return
    indices = tuple(dice.randrange(length) for length in declared.dimensions if length)
    full = len(indices) == len(declared.dimensions)
    flat = 0
    for index, length in zip(indices, declared.dimensions, strict=False):
        flat = flat * length + index
    element = flat * placed.member.type.size if full else 0
    subscript = "".join(f"[{index}]" for index in indices) if full else ""
    here = f"{path}{declared.name}"
    yield Spot(here + subscript, declared, placed, base, element)
    if below is not None and full and not declared.flexible:
        yield from spots(below, dice, f"{here}{subscript}.", base + placed.offset + element)


def probes(found: list[Spot], dice: random.Random) -> list[Probe]:
    """One assignment for each scalar that has a place in the struct."""
    return [
        Probe(spot, dice.choice((0x00, 0xA5, 0xFF)), _value(spot, dice))
        for spot in found
        if not isinstance(spot.declared.type, Aggregate)
        and not spot.declared.flexible
        and spot.declared.count
    ]


def _value(spot: Spot, dice: random.Random) -> Value:
    type = SCALARS[str(spot.declared.type)]
    if type.kind is Kind.COMPLEX:
        return complex(dice.randint(-999, 999) / 8, dice.randint(-999, 999) / 8)
    if type.kind is Kind.FLOAT:
        return 1.5 if type.size > 8 else dice.randint(-999, 999) / 8
    if spot.declared.bits is None:
        least, greatest = type.bounds
    elif type.kind is Kind.SIGNED:
        least, greatest = -(1 << spot.declared.bits - 1), (1 << spot.declared.bits - 1) - 1
    else:
        least, greatest = 0, (1 << spot.declared.bits) - 1
    return dice.choice((least, greatest, dice.randint(least, greatest)))
