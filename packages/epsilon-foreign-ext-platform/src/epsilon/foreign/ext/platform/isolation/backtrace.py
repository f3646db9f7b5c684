"""The C frames of a stopped thread, innermost first, from outside.

The tables of each library say how to get from a frame to its caller's; see `unwinding`. They end at code that has none:
the stub that made the foreign call. Where they lead nowhere before that, because the stack has been destroyed or
hand-written code has no tables, the rest is looked for on the stack: words that point behind a call instruction. Such a
word may be left over from an earlier call, so those frames are a guess.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from .frames import caller
from .mapping import Mapping, beginning, mapping_at, mappings
from .tracing import Registers
from .unwinding import Tables, UnwindError

#: How many frames are listed, and how many bytes of stack are looked through.
MOST_FRAMES = 64
MOST_STACK = 16 * 1024
_WORD = 8


class RawFrame(NamedTuple):
    """A frame as the keeper knows it: an address, and what is mapped there: a file and the place in it."""

    address: int
    path: str
    offset: int


class Target:
    """The memory of a stopped process. Raises OSError when it is gone."""

    def __init__(self, process: int) -> None:
        self._file = os.open(f"/proc/{process}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self.maps: list[Mapping] = mappings(process)
        self._tables: dict[int, Tables] = {}

    def close(self) -> None:
        """The process may go on."""
        os.close(self._file)

    def read(self, address: int, size: int) -> bytes:
        """As much of these bytes as there is."""
        try:
            return os.pread(self._file, size, address)
        except (OSError, OverflowError, ValueError):
            return b""

    def frame(self, address: int) -> RawFrame:
        """An address, placed."""
        found = mapping_at(self.maps, address)
        if found is None or not found.path.startswith("/"):
            return RawFrame(address, found.path if found else "", 0)
        return RawFrame(address, found.path, address - found.start + found.offset)

    def executable(self, address: int) -> bool:
        """May what lies there be executed?"""
        found = mapping_at(self.maps, address)
        return found is not None and "x" in found.rights

    def tables(self, address: int) -> Tables:
        """The call frame information for an address. Raises UnwindError."""
        found = mapping_at(self.maps, address)
        if found is None or not found.path.startswith("/"):
            raise UnwindError("no file")
        first = beginning(self.maps, found)
        if first is None:
            raise UnwindError("the file's beginning is not mapped")
        if first.start not in self._tables:
            self._tables[first.start] = Tables(self.read, first.start)
        return self._tables[first.start]


def backtrace(process: int, registers: Registers) -> list[RawFrame]:
    """The frames of a stopped thread of a process. Raises OSError when the process is gone."""
    target = Target(process)
    try:
        addresses = _unwound(target, registers)
        return [target.frame(address) for address in addresses[:MOST_FRAMES]]
    finally:
        target.close()


def _unwound(target: Target, registers: Registers) -> list[int]:
    """The address of each frame: where it is, or where it goes on when what it has called returns."""
    values, stack, link = dict(registers.values), registers.stack, registers.link
    addresses = [values[registers.counter]]
    if not target.executable(addresses[0]):
        # Jumped to where nothing is: the return address lies where a call leaves it.
        word = values.get(link) if link is not None else _stacked(target, values[stack])
        if word is None or not target.executable(word):
            return addresses + _guessed(target, values[stack])
        if link is None:
            values[stack] += _WORD
        addresses.append(word)
    while len(addresses) < MOST_FRAMES:
        here = addresses[-1]
        # Behind a call that does not return there may be another function.
        inside = here - (len(addresses) > 1)
        try:
            function = target.tables(inside).function(inside)
            after = inside if len(addresses) == 1 and not function.common.signal else here - 1
            found = caller(function, values, max(after, function.start), stack, target.read)
            back = found.pop(function.common.returns, 0)
        except UnwindError:
            return addresses + (_guessed(target, values[stack]) if _lost(target, here) else [])
        if not target.executable(back) or found[stack] < values[stack]:
            return addresses
        values = found
        addresses.append(back)
    return addresses


def _lost(target: Target, address: int) -> bool:
    """Do the tables end too early? Code that lies in no file is a stub of ours, and its caller is the interpreter."""
    found = mapping_at(target.maps, address)
    return found is not None and found.path.startswith("/")


def _stacked(target: Target, address: int) -> int | None:
    content = target.read(address, _WORD)
    return int(struct.unpack("=Q", content)[0]) if len(content) == _WORD else None


def _guessed(target: Target, stack: int) -> list[int]:
    """Return addresses on the stack, from its top."""
    content = target.read(stack & -_WORD, MOST_STACK)
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
