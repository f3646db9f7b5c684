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
            # gcc sees integer data of the base type's alignment, even where the bit-field is of zero width.
            base = SCALARS[str(member.type)]
            fields.append(Field(0, AbiType(Kind.UNSIGNED, 1, base.alignment, base.name)))
        if member.bits is None:
            field = _plain(member, table[2 + 2 * index], table[3 + 2 * index], value_bits, fixed, address_of)
        elif member.name is not None:
            field = _bitfield(member, next(bits), value_bits, fixed)
        else:
            continue
        fields.append(_aligned(field, min(member.align or 1, type.pack or 1 << 30)))
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


def _bitfield(member: Declared, shown: bytes, value_bits: bytearray, fixed: bytearray) -> Field:
    _add(value_bits, 0, shown)
    if member.type == "_Bool":
        _add(fixed, 0, shown)
    touched = [index for index, byte in enumerate(shown) if byte]
    return Field(touched[0], abi.UINT8, touched[-1] - touched[0] + 1)


def _bitfields(type: Aggregate, size: int, address_of: AddressOf) -> list[bytes]:
    """For each named bit-field the bytes of a struct in which its bits alone are set."""
    count = sum(member.bits is not None and member.name is not None for member in type.members)
    out = (ctypes.c_ubyte * (size * count or 1))()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address_of(f"bits_{type.name}"))(ctypes.addressof(out))
    return [bytes(out[i * size : (i + 1) * size]) for i in range(count)]


def _aligned(field: Field, align: int) -> Field:
    """AAPCS64 looks at what alignment a member asked for."""
    type = field.type
    if align <= type.alignment:
        return field
    return Field(field.offset, abi.aggregate(field.count * type.size, align, (Field(0, type, field.count),)))


def _add(bits: bytearray, offset: int, more: bytes) -> None:
    for index, byte in enumerate(more, offset):
        bits[index] |= byte
