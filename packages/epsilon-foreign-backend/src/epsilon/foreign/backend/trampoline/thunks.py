"""Thunks: addresses that C can call, each of which finds its own data.

Every callback needs an address of its own, but nobody may write code while it could run. So all thunks are equal: a
block of them, written once, lies in front of an equal block of slots, and a thunk finds its slot at a fixed distance
from itself. A slot is two words, the code to continue with and a context for it; making a callback writes two words of
ordinary memory. (Static trampolines of libffi and the thunks of Objective-C blocks work alike.)

The pages are private: a forked child has its own copy of the slots, and may go on making callbacks.
"""

from __future__ import annotations

import ctypes
import struct
from typing import NamedTuple

from ..locks import ProcessLock
from . import icache, mapping

#: A thunk and a slot are this long, in bytes.
STRIDE = 16
#: Bytes of thunks in one block; at least a page of any kernel.
BLOCK = max(16 * 1024, mapping.PAGE)


def _x86_64(distance: int) -> bytes:
    """``lea r11, [rip + distance]; jmp [r11]`` (Intel SDM: the displacement counts from the next instruction)."""
    return b"\x4c\x8d\x1d" + struct.pack("<i", distance - 7) + b"\x41\xff\x23"


def _aarch64(distance: int) -> bytes:
    """``adr x9, distance; ldr x16, [x9]; br x16`` (Arm ARM C6.2.10: 21 bits, the two lowest apart)."""
    adr = 0x10000000 | (distance & 3) << 29 | (distance >> 2 & 0x7FFFF) << 5 | 9
    return struct.pack("<3I", adr, 0xF9400130, 0xD61F0200)


_THUNKS = {"x86_64": _x86_64, "aarch64": _aarch64}


class Thunk(NamedTuple):
    """One thunk: `address` is what C calls. ``words[slot]`` and the next are its slot: code, then context."""

    address: int
    words: memoryview
    slot: int

    @property
    def slot_address(self) -> int:
        """The address of its slot."""
        return self.address + BLOCK

    def set(self, code: int, context: int) -> None:
        """Continue with `code`, which finds `context` in the second word of its slot."""
        # The context first: whoever calls meanwhile must not find new code with an old context.
        self.words[self.slot + 1] = context
        self.words[self.slot] = code


class ThunkHeap:
    """Hands out thunks. Blocks are mapped as needed and never given back: C may hold any address for ever."""

    def __init__(self, machine: str) -> None:
        self._write = _THUNKS[machine]
        self._free: list[Thunk] = []
        self._lock = ProcessLock()
        self.mapped = 0

    def take(self) -> Thunk:
        """A thunk that nobody has. Raises ExecutableMemoryError."""
        try:
            return self._free.pop()
        except IndexError:
            with self._lock:
                if not self._free:
                    self._free.extend(self._new_block())
                return self._free.pop()

    def give(self, thunk: Thunk) -> None:
        """Take a thunk back, to be handed out again."""
        self._free.append(thunk)

    def link_block(self) -> int:
        """The address of the first slot of a fresh block. Each slot's context is the address of the next, or 0."""
        block = self._new_block()
        for one, next in zip(block, [*block[1:], None], strict=True):
            one.set(0, 0 if next is None else next.slot_address)
        return block[0].slot_address

    def _new_block(self) -> list[Thunk]:
        address = mapping.map_private(2 * BLOCK)
        code = self._write(BLOCK).ljust(STRIDE, b"\xcc") * (BLOCK // STRIDE)
        ctypes.memmove(address, code, len(code))
        mapping.protect(address, BLOCK, mapping.READ | mapping.EXECUTE)
        flush = icache.flusher()
        if flush is not None:
            flush(address, BLOCK)
        self.mapped += 2 * BLOCK
        slots = (ctypes.c_uint64 * (BLOCK // 8)).from_address(address + BLOCK)
        words = memoryview(slots).cast("B").cast("Q")
        return [Thunk(address + at, words, at // 8) for at in range(0, BLOCK, STRIDE)]
