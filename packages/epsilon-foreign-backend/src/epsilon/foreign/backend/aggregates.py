"""Aggregates by value for backends whose library classifies by declared members.

libffi, under both ctypes and cffi, decides how a struct travels from a list of members. It knows no unions, no packing
and no bit-fields. But a calling convention only looks at an aggregate's *class*, so a plain struct of the same class
travels the same way: `shape` finds one.

- System V x86-64, 3.2.3 (https://gitlab.com/x86-psABIs/x86-64-ABI): each eightbyte is INTEGER or SSE; more than two
  eightbytes, or a misaligned field, is MEMORY.
- AAPCS64, 6.8.2 (https://github.com/ARM-software/abi-aa): up to four members of one floating type travel in vector
  registers (HFA); other aggregates of up to 16 bytes in general registers; the rest as a pointer to a copy.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from .abi import DOUBLE, UINT64, AbiType, Field, Kind
from .signature import is_long_double

Shape = tuple[AbiType, ...]

EIGHTBYTE = 8
REGISTERS = 16  # bytes that either convention passes in registers


def scalars(type: AbiType, offset: int = 0) -> Iterator[tuple[int, AbiType]]:
    """Every scalar inside `type` with its offset in bytes; the halves of a complex number are scalars too."""
    if type.kind is Kind.COMPLEX:
        half = AbiType(Kind.FLOAT, type.size // 2, type.alignment, "part")
        yield offset, half
        yield offset + half.size, half
    elif type.kind is not Kind.AGGREGATE:
        yield offset, type
    else:
        for field in type.fields:
            for i in range(field.count):
                yield from scalars(field.type, offset + field.offset + i * field.type.size)


def shape(type: AbiType) -> Shape | None:
    """Members of a struct that travels as `type` does (it may be padded to 8 bytes), or None when there is none."""
    find = _SHAPES.get(convention())
    return find(type) if find is not None and type.size > 0 else None


def _memory(type: AbiType) -> Shape | None:
    # A struct of eightbytes cannot be aligned to more than eight.
    return (UINT64,) * -(-type.size // EIGHTBYTE) if type.alignment <= EIGHTBYTE else None


def _sysv(type: AbiType) -> Shape | None:
    if type.size > REGISTERS:
        return _memory(type)
    classes: list[AbiType | None] = [None] * -(-type.size // EIGHTBYTE)
    for offset, scalar in scalars(type):
        if offset % scalar.alignment or is_long_double(scalar):
            return None  # MEMORY at a size where no plain struct is; X87
        index = offset // EIGHTBYTE
        if scalar.kind is not Kind.FLOAT:
            classes[index] = UINT64
        elif classes[index] is None:
            classes[index] = DOUBLE
    found = tuple(c for c in classes if c is not None)
    return found if len(found) == len(classes) and type.alignment <= EIGHTBYTE else None


def _aapcs64(type: AbiType) -> Shape | None:
    homogeneous = hfa(type)
    if homogeneous is not None:
        return homogeneous
    return _memory(type)


def hfa(type: AbiType) -> Shape | None:
    """The members of a homogeneous floating-point aggregate, or None (AAPCS64 5.9.5.1)."""
    if type.size > 4 * 16:
        return None
    found = set(scalars(type))
    bases = {scalar.size for _, scalar in found}
    if len(bases) != 1 or any(scalar.kind is not Kind.FLOAT for _, scalar in found):
        return None
    base = next(iter(found))[1]
    count, rest = divmod(type.size, base.size)
    if rest or not 1 <= count <= 4 or {offset for offset, _ in found} != {i * base.size for i in range(count)}:
        return None
    return (base,) * count


_SHAPES = {"sysv": _sysv, "aapcs64": _aapcs64}


def convention() -> str:
    """Which rules the C compiler of this platform follows: sysv, aapcs64, windows, or the processor's name."""
    if sys.platform == "win32":
        return "windows"
    machine = os.uname().machine.lower()  # `platform` would cost more to import than it tells
    return {"x86_64": "sysv", "amd64": "sysv", "aarch64": "aapcs64", "arm64": "aapcs64"}.get(machine, machine)


def content(type: AbiType, shape: Shape, data: bytes) -> bytes:
    """`data` (any bytes-like object of the aggregate's size) padded to the size of a struct of `shape`.

    Raises ValueError for another size: a converter broke its contract.
    """
    if len(data) != type.size:
        raise ValueError(f"{type.name} is {type.size} bytes, its converter made {len(data)}")
    return bytes(data).ljust(sum(member.size for member in shape), b"\0")


def as_aggregate(type: AbiType) -> AbiType:
    """A complex number as the two-member struct that both conventions pass it like (System V 3.2.3, AAPCS64 5.9.4)."""
    half = AbiType(Kind.FLOAT, type.size // 2, type.alignment, "part")
    return AbiType(Kind.AGGREGATE, type.size, type.alignment, type.name, (Field(0, half, 2),))
