"""Aggregates by value for backends whose library classifies by declared members.

libffi, under both ctypes and cffi, decides how a struct travels from a list of members. It knows no unions,
no packing and no bit-fields. But a calling convention only looks at an aggregate's *class*, so a plain struct
of the same class travels the same way: `shape` finds one.

- System V x86-64, 3.2.3 (https://gitlab.com/x86-psABIs/x86-64-ABI): each eightbyte is INTEGER or SSE; more
  than two eightbytes, or a misaligned field, is MEMORY.
- AAPCS64, 6.8.2 (https://github.com/ARM-software/abi-aa): up to four members of one floating type travel in
  vector registers (HFA); other aggregates of up to 16 bytes in general registers; the rest as a pointer to a
  copy.
"""

from __future__ import annotations

import os
import sys

from .abi import DOUBLE, UINT64, AbiType, Field, Kind
from .trampoline import classify_aapcs64, classify_sysv

Shape = tuple[AbiType, ...]

EIGHTBYTE = 8
REGISTERS = 16  # bytes that either convention passes in registers


def shape(type: AbiType) -> Shape | None:
    """Members of a struct that travels as `type` does (it may be padded to 8 bytes), or None when there is
    none.
    """
    find = _SHAPES.get(convention())
    return find(type) if find is not None and type.size > 0 else None


def _eightbytes(type: AbiType) -> Shape:
    return (UINT64,) * -(-type.size // EIGHTBYTE)


def _sysv(type: AbiType) -> Shape | None:
    if type.alignment > EIGHTBYTE:
        return None  # no struct of eightbytes has its place on the stack
    classes = classify_sysv.classify(type)
    if classes is classify_sysv.MEMORY:
        # A plain struct is in memory only when it is too large for registers.
        return _eightbytes(type) if type.size > REGISTERS else None
    return tuple(_MEMBERS[c] for c in classes) if all(c in _MEMBERS for c in classes) else None


def _aapcs64(type: AbiType) -> Shape | None:
    homogeneous = classify_aapcs64.hfa(type)
    if homogeneous is not None:
        return (homogeneous.base,) * homogeneous.count
    return _eightbytes(type) if classify_aapcs64.natural_alignment(type) <= EIGHTBYTE else None


_MEMBERS = {classify_sysv.INTEGER: UINT64, classify_sysv.SSE: DOUBLE}
_SHAPES = {"sysv": _sysv, "aapcs64": _aapcs64}


def convention() -> str:
    """Which rules the C compiler of this platform follows: sysv, aapcs64, windows, or the processor's
    name.
    """
    if sys.platform == "win32":
        return "windows"
    machine = os.uname().machine.lower()  # `platform` would cost more to import than it tells
    return {"x86_64": "sysv", "amd64": "sysv", "aarch64": "aapcs64", "arm64": "aapcs64"}.get(machine, machine)


def content(type: AbiType, shape: Shape, data: bytes) -> bytes:
    """`data` (any bytes-like object of the aggregate's size) padded to the size of a struct of `shape`.

    Raises ValueError for another size: a converter broke its contract.
    """
    return exact_bytes(type, data).ljust(sum(member.size for member in shape), b"\0")


def exact_bytes(type: AbiType, data: bytes) -> bytes:
    """`data` (any bytes-like object) as exact bytes. Raises ValueError unless they are of the aggregate's size."""
    found = data if data.__class__ is bytes else bytes(data)
    if len(found) != type.size:
        raise ValueError(f"{type.name} is {type.size} bytes, its converter made {len(found)}")
    return found


def as_aggregate(type: AbiType) -> AbiType:
    """A complex number as the two-member struct that both conventions pass it like (System V 3.2.3, AAPCS64
    5.9.4).
    """
    half = AbiType(Kind.FLOAT, type.size // 2, type.alignment, "part")
    return AbiType(Kind.AGGREGATE, type.size, type.alignment, type.name, (Field(0, half, 2),))
