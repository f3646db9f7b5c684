"""The C frames of a stopped thread, innermost first, from outside.

Most code keeps no frame pointers, and tables for unwinding need an intact stack. So return addresses are looked for on
the stack: words that point behind a call instruction. Such a list may name a function that has returned already, and
it cannot be led astray by whatever destroyed the stack: it ends where the stack is not readable any more.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from .mapping import Mapping, mapping_at, mappings
from .tracing import Registers

#: How many frames are listed, and how many bytes of stack are looked through.
MOST_FRAMES = 48
MOST_STACK = 16 * 1024
_WORD = 8


class RawFrame(NamedTuple):
    """A frame as the keeper knows it: an address, and what is mapped there: a file and the place in it."""

    address: int
    path: str
    offset: int


class Target:
    """The memory of a stopped process."""

    def __init__(self, process: int) -> None:
        self._file = os.open(f"/proc/{process}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self.maps: list[Mapping] = mappings(process)

    def close(self) -> None:
        os.close(self._file)

    def read(self, address: int, size: int) -> bytes:
        """As much of these bytes as there is."""
        try:
            return os.pread(self._file, size, address)
        except (OSError, OverflowError):
            return b""

    def frame(self, address: int) -> RawFrame:
        """An address, placed."""
        found = mapping_at(self.maps, address)
        if found is None or not found.path.startswith("/"):
            return RawFrame(address, found.path if found else "", 0)
        return RawFrame(address, found.path, address - found.start + found.offset)

    def executable(self, address: int) -> bool:
        found = mapping_at(self.maps, address)
        return found is not None and "x" in found.rights


def backtrace(process: int, registers: Registers) -> list[RawFrame]:
    """The frames of a stopped thread of a process. Raises OSError when the process is gone."""
    target = Target(process)
    try:
        addresses = [registers.pc]
        if registers.lr is not None and target.executable(registers.lr):
            addresses.append(registers.lr)
        addresses += _returns(target, registers.sp)
        return [target.frame(address) for address in addresses[:MOST_FRAMES]]
    finally:
        target.close()


def _returns(target: Target, stack: int) -> list[int]:
    """Return addresses on the stack, from its top."""
    stack &= -_WORD
    content = target.read(stack, MOST_STACK)
    if not content:
        # A stack that has overflowed, or a stack pointer that is none.
        held = mapping_at(target.maps, stack + 4096) or mapping_at(target.maps, stack)
        content = target.read(held.start, MOST_STACK) if held else b""
    found: list[int] = []
    for (word,) in struct.iter_unpack("=Q", content[: len(content) // _WORD * _WORD]):
        if target.executable(word) and _after_call(target, word) and (not found or found[-1] != word):
            found.append(word)
            if len(found) >= MOST_FRAMES:
                break
    return found


def _after_call(target: Target, address: int) -> bool:
    """Is the instruction before an address a call?"""
    return _CALLS.get(os.uname().machine, _x86_64)(target.read(address - 7, 7))


def _x86_64(code: bytes) -> bool:
    """call rel32 (E8), or call r/m (FF /2) with any of its lengths."""
    if len(code) < 7:
        return False
    if code[2] == 0xE8:
        return True
    return any(
        code[-length] == 0xFF and code[-length + 1] >> 3 & 7 == 2 and _length(code[-length + 1]) == length
        for length in (2, 3, 6, 7)
    )


def _length(modrm: int) -> int:
    """Bytes of FF /2 with this ModRM byte."""
    mode, rm = modrm >> 6, modrm & 7
    sib = int(mode != 3 and rm == 4)
    return 2 + sib + {0: 4 if rm == 5 else 0, 1: 1, 2: 4, 3: 0}[mode]


def _aarch64(code: bytes) -> bool:
    """BL or BLR."""
    if len(code) < 7:
        return False
    word = int.from_bytes(code[3:], "little")
    return word >> 26 == 0b100101 or word & 0xFFFFFC1F == 0xD63F0000


_CALLS = {"x86_64": _x86_64, "aarch64": _aarch64}
