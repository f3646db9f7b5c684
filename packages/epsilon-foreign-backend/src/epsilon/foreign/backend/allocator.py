"""Zeroed, aligned memory from the C library, as the backends share it."""

from __future__ import annotations

import ctypes
import os
import sys
from operator import index
from typing import Any

#: What malloc and calloc promise (C11 7.22.3: any object with a fundamental alignment).
FUNDAMENTAL = ctypes.alignment(ctypes.c_longdouble)

_libc = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
_calloc = _libc.calloc
_calloc.argtypes, _calloc.restype = [ctypes.c_size_t, ctypes.c_size_t], ctypes.c_void_p
_free = _libc.free
_free.argtypes, _free.restype = [ctypes.c_void_p], None


def alloc(size: int, alignment: int = FUNDAMENTAL) -> int:
    """`size` bytes of zeroed memory at a multiple of `alignment`; 0 bytes still have an address of their own.

    Raises TypeError for what is no integer, ValueError for a negative size or an alignment that is no power
    of two, MemoryError.
    """
    size, alignment = index(size), index(alignment)
    if size < 0:
        raise ValueError(f"cannot allocate {size} bytes")
    if alignment < 1 or alignment & (alignment - 1):
        raise ValueError(f"alignment {alignment} is not a power of two")
    if size > sys.maxsize:
        raise MemoryError(f"cannot allocate {size} bytes")
    address = _calloc(1, size or 1) if alignment <= FUNDAMENTAL else _aligned(size or 1, alignment)
    if not address:
        raise MemoryError(f"cannot allocate {size} bytes aligned to {alignment}")
    return int(address)


def free(address: int, *, _free: Any = _free) -> None:
    """Free what `alloc` returned; 0 is allowed."""
    # Bound as a default: finalisers call this when the globals of this module may be gone already.
    _free(address)


def _aligned(size: int, alignment: int) -> int | None:
    """posix_memalign(3): its memory goes back through free(3), which aligned allocation on Windows does
    not.
    """
    if os.name == "nt":
        raise ValueError(f"alignments over {FUNDAMENTAL} are not supported on Windows, asked for {alignment}")
    result = ctypes.c_void_p()
    failed = _libc.posix_memalign(ctypes.byref(result), ctypes.c_size_t(alignment), ctypes.c_size_t(size))
    if failed or not result.value:
        return None
    ctypes.memset(result.value, 0, size)
    return result.value
