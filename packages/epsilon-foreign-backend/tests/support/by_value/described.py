"""An aggregate as the compiler laid it out: its ABI type, and which of its bits hold values."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from dataclasses import dataclass

from backend_support.random_aggregates import LONG_DOUBLE_VALUE
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import AbiType, Field, Kind
from random_types import SCALARS, Aggregate, Declared

AddressOf = Callable[[str], int]


@dataclass(frozen=True)
class Described:
    """`value_bits` has a 1 for every bit of a value; `change` for every one that may be flipped freely."""

    abi: AbiType
    value_bits: bytes
    change: bytes

    def random_value(self, dice: random.Random) -> bytes:
        """Random content with a bool of 0 or 1 wherever one is: C may do anything with others."""
        noise = dice.randbytes(self.abi.size)
        kept = bytes(byte & free for byte, free in zip(noise, self.change, strict=True))
        bools = [v & ~c & 1 & n for v, c, n in zip(self.value_bits, self.change, noise, strict=True)]
        return bytes(byte | one for byte, one in zip(kept, bools, strict=True))

    def changed(self, data: bytes) -> bytes:
        """What C returns for `data`, without what holds no value."""
        return bytes((b ^ c) & v for b, c, v in zip(data, self.change, self.value_bits, strict=True))

    def values_of(self, data: bytes) -> bytes:
        """`data` with everything zeroed that holds no value."""
        return bytes(b & v for b, v in zip(data, self.value_bits, strict=True))


def describe(type: Aggregate, address_of: AddressOf) -> Described:
    """Ask the library."""
    members = len(type.members)
    table = (ctypes.c_uint64 * (2 + 2 * members)).from_address(address_of(f"layout_{type.name}"))
    size, alignment = table[0], table[1]
    value_bits, fixed = bytearray(size), bytearray(size)
    bits = iter(_bitfields(type, size, address_of))
    fields = []
    for index, member in enumerate(type.members):
        if member.bits is not None and type.is_union and size:
            # gcc sees an integer that holds the bits, even where they are none.
            least = next(unit for unit in (1, 2, 4, 8) if member.bits <= 8 * unit)
            fields.append(Field(0, AbiType(Kind.UNSIGNED, 1, least, "bits")))
        if member.bits is None:
            field = _plain(member, table[2 + 2 * index], table[3 + 2 * index], value_bits, fixed, address_of)
        elif member.name is not None:
            field = _bitfield(member, next(bits), value_bits, fixed, type.packed)
        else:
            continue
        fields.append(_aligned(field, _own_alignment(type, member, field), alignment))
    change = bytes(v & ~f for v, f in zip(value_bits, fixed, strict=True))
    return Described(abi.aggregate(size, alignment, tuple(fields), type.name), bytes(value_bits), change)


def _plain(
    member: Declared, offset: int, size: int, value_bits: bytearray, fixed: bytearray, address_of: AddressOf
) -> Field:
    if isinstance(member.type, Aggregate):
        inner = describe(member.type, address_of)
        type, element = inner.abi, inner.value_bits
        still = bytes(v & ~c for v, c in zip(inner.value_bits, inner.change, strict=True))
    else:
        type = SCALARS[member.type]
        element = b"\xff" * (LONG_DOUBLE_VALUE if type == abi.LONGDOUBLE else type.size)
        element = (b"\1" if type.kind is Kind.BOOL else element).ljust(type.size, b"\0")
        still = element if type.kind is Kind.BOOL else bytes(type.size)
    count = size // type.size if type.size else 0
    _add(value_bits, offset, element * count)
    _add(fixed, offset, still * count)
    return Field(offset, type, count)


def _bitfield(member: Declared, shown: bytes, value_bits: bytearray, fixed: bytearray, packed: bool) -> Field:
    _add(value_bits, 0, shown)
    if member.type == "_Bool":
        _add(fixed, 0, shown)
    touched = [index for index, byte in enumerate(shown) if byte]
    first, count = touched[0], len(touched)
    if member.bits == 8 * count and count in abi.UNSIGNED_BY_SIZE and first % count == 0 and not packed:
        return Field(first, abi.UNSIGNED_BY_SIZE[count])  # gcc sees an integer like any other
    return Field(first, abi.UINT8, count)


def _bitfields(type: Aggregate, size: int, address_of: AddressOf) -> list[bytes]:
    """For each named bit-field the bytes of a struct in which its bits alone are set."""
    count = sum(member.bits is not None and member.name is not None for member in type.members)
    out = (ctypes.c_ubyte * (size * count or 1))()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address_of(f"bits_{type.name}"))(ctypes.addressof(out))
    return [bytes(out[i * size : (i + 1) * size]) for i in range(count)]


def _own_alignment(type: Aggregate, member: Declared, field: Field) -> int:
    least = 1 if type.packed else field.type.alignment
    if member.bits is not None and member.align is None:
        return field.type.alignment
    return min(max(least, member.align or 1), type.pack or 1 << 30)


def _aligned(field: Field, own: int, struct: int) -> Field:
    """AAPCS64 looks at the alignment of the members themselves."""
    type = field.type
    if own == type.alignment or own == struct < type.alignment:
        return field
    return Field(field.offset, abi.aggregate(field.count * type.size, own, (Field(0, type, field.count),)))


def _add(bits: bytearray, offset: int, more: bytes) -> None:
    for index, byte in enumerate(more, offset):
        bits[index] |= byte
