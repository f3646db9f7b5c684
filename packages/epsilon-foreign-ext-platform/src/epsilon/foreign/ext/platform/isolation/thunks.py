"""Where C finds callbacks: addresses that stay the same from one child to the next.

A thunk jumps to the address in its slot. The slots are shared memory; each child writes the addresses of what it has
made into them. The thunks are written once by the parent, into a file of their own, which only children map, and
without the right to write there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

from epsilon.foreign.backend import UnsupportedSignatureError

#: How many callbacks can exist at once, and the bytes of a thunk and of a slot.
COUNT, THUNK, SLOT = 4096, 16, 8
LENGTH = COUNT * THUNK


def _x86_64(distance: int) -> bytes:
    """endbr64; jmp [rip + distance], which counts from the end of the instruction."""
    return b"\xf3\x0f\x1e\xfa\xff\x25" + struct.pack("<i", distance - 10)


def _aarch64(distance: int) -> bytes:
    """ldr x16, distance; br x16."""
    return struct.pack("<II", 0x58000010 | (distance >> 2) << 5, 0xD61F0200)


_CODE: dict[str, Callable[[int], bytes]] = {
    "x86_64": _x86_64,
    "amd64": _x86_64,
    "aarch64": _aarch64,
    "arm64": _aarch64,
}


def supported() -> bool:
    """Can thunks be made for this processor?"""
    return os.uname().machine.lower() in _CODE


def thunks(slots: int) -> bytes:
    """The code of `COUNT` thunks, whose slots begin `slots` bytes after the first of them.

    Raises UnsupportedSignatureError for an unknown processor.
    """
    machine = os.uname().machine.lower()
    if machine not in _CODE:
        raise UnsupportedSignatureError(f"isolated callbacks are not supported on {machine}")
    make = _CODE[machine]
    return b"".join(make(slots + i * SLOT - i * THUNK).ljust(THUNK, b"\0") for i in range(COUNT))
