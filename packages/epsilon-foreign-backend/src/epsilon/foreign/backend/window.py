"""The process's memory as memoryviews: reading and writing machine values at an address without ctypes
objects.

A view of item format ``i`` over all addresses reads the ``int`` at `address` as ``view[(address - BASE) >>
2]``, three times faster than ``ctypes.c_int.from_address(address).value``. Nothing is checked here: whoever
indexes has made sure that the address is mapped, aligned to the item's size, and not below `BASE` (which no
mapping is: 64 KiB is Linux' ``vm.mmap_min_addr``; a *lower* address would be a negative index and wrap to the
far end).
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

BASE = 0x10000
_SIZE = (sys.maxsize - BASE) // 64 * 64
_READ_WRITE = 0x200  # PyBUF_WRITE of Include/pybuffer.h

_from_memory = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)(
    ("PyMemoryView_FromMemory", ctypes.pythonapi)
)

#: Every byte from `BASE` on.
BYTES: Any = _from_memory(BASE, _SIZE, _READ_WRITE).cast("B")
#: Item format of `struct` -> the view of items of that format
#: (https://docs.python.org/3/library/struct.html).
VIEWS: dict[str, Any] = {code: BYTES.cast(code) for code in "bhHiIqQfd?"} | {"B": BYTES}


def read_bytes(address: int, size: int) -> bytes:
    """A copy of `size` bytes."""
    start = address - BASE
    return bytes(BYTES[start : start + size])


def write_bytes(address: int, data: bytes | bytearray | memoryview) -> None:
    """Copy `data`, a buffer of bytes, to `address`."""
    start = address - BASE
    BYTES[start : start + len(data)] = data


def move_bytes(target: int, source: int, size: int) -> None:
    """memmove(3): the two may overlap."""
    here, there = target - BASE, source - BASE
    BYTES[here : here + size] = BYTES[there : there + size]
