"""Bytes of aggregates: copying them, and moving them between memory and the registers they travel in."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..assembler import IntRegister, VectorRegister
from ..conventions import Piece
from ..machine import Machine

#: Up to this many bytes are copied by plain loads and stores, as more would not be shorter than a call.
INLINE = 128
#: Pages of any kernel are at least this long, and so is what guards a stack.
PAGE = 4096


class Where(NamedTuple):
    """`offset` bytes from the address in a register."""

    base: IntRegister
    offset: int = 0


def chunks(size: int) -> list[tuple[int, int]]:
    """Offsets and sizes of the moves that copy `size` bytes, none more and none twice."""
    found, at = [], 0
    for width in (8, 4, 2, 1):
        while size - at >= width:
            found.append((at, width))
            at += width
    return found


def write_copy(
    m: Machine, call: Callable[[str], None], to: Where, source: Where, size: int, temp: IntRegister
) -> None:
    """Copy `size` bytes. More than `INLINE` by a call, so nothing may live in registers that calls do not keep."""
    if size <= INLINE:
        for at, width in chunks(size):
            m.load(temp, source.base, source.offset + at, width)
            m.store(to.base, to.offset + at, temp, width)
        return
    # Neither register may be overwritten before it is read.
    m.lea(temp, source.base, source.offset)
    m.lea(m.ENTRY[0], to.base, to.offset)
    m.mov(m.ENTRY[1], temp)
    m.mov_imm(m.ENTRY[2], size)
    call("memcpy")


def write_load_pieces(m: Machine, pieces: tuple[Piece, ...], source: Where) -> None:
    """Put an aggregate into its registers; whole slots of it are read."""
    for register, start, size in pieces:
        if isinstance(register, VectorRegister):
            m.fload(register, source.base, source.offset + start, size)
        else:
            m.load(register, source.base, source.offset + start)


def write_store_pieces(m: Machine, pieces: tuple[Piece, ...], to: Where) -> None:
    """Take an aggregate out of its registers; whole slots of it are written."""
    for register, start, size in pieces:
        if isinstance(register, VectorRegister):
            m.fstore(to.base, to.offset + start, register, size)
        else:
            m.store(to.base, to.offset + start, register)


def slots(size: int) -> int:
    """The bytes of the slots that `size` bytes fill, at least one: what the two functions above may touch."""
    return max(8, -(-size // 8) * 8)


def write_touch_pages(m: Machine, frame_bytes: int) -> None:
    """Touch every page of a large frame, the nearest first, so that none is behind the guard of the stack."""
    for at in range(frame_bytes - PAGE, -1, -PAGE):
        m.store_imm(m.SP, at, 0)
