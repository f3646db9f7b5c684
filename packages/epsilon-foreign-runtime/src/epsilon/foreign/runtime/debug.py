"""Allocations between guard pages, for finding C code that runs past its buffer: ``EPSILON_FOREIGN_DEBUG=1``.

Every allocation ends at a page that may not be touched, so the first byte written or read beyond it stops the
program at the faulting instruction (a debugger, or ``python -X faulthandler``, shows where). What lies
between the page's start and the allocation, and the few bytes that alignment leaves behind it, is filled with
a pattern and looked at when it is freed. Freed memory becomes inaccessible and its addresses are not used
again for a long time. https://man7.org/linux/man-pages/man2/mprotect.2.html
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import warnings
from collections import deque
from typing import Any

from epsilon.foreign.backend import FUNDAMENTAL, ForeignError, ProcessLock, window

ENVIRONMENT = "EPSILON_FOREIGN_DEBUG"
#: Freed allocations whose pages stay inaccessible before their addresses are given back.
QUARANTINE = 4096
PATTERN = 0xFD

_PROT_NONE = 0
_FAILED = ctypes.c_void_p(-1).value


def _wanted() -> bool:
    if os.environ.get(ENVIRONMENT, "") in ("", "0"):
        return False
    if hasattr(mmap, "MAP_ANONYMOUS"):
        return True
    reason = f"{ENVIRONMENT}: guard pages are not supported on {sys.platform}"
    warnings.warn(reason, RuntimeWarning, stacklevel=2)
    return False


#: Is every allocation guarded? Decided when this module is imported.
ENABLED = _wanted()


class CorruptedMemoryError(ForeignError, RuntimeError):
    """Bytes before or behind an allocation were overwritten."""


class _Region:
    """The pages of one allocation: guard page, pages of data, guard page."""

    __slots__ = ("base", "size", "start", "stop", "total")

    def __init__(self, size: int, alignment: int) -> None:
        pages = max(1, -(-(size + alignment) // mmap.PAGESIZE))
        self.total = (pages + 2) * mmap.PAGESIZE
        self.base = _map(self.total)
        end = self.base + (pages + 1) * mmap.PAGESIZE
        self.size = size
        self.start = (end - size) & -alignment
        self.stop = self.start + size
        _protect(self.base + mmap.PAGESIZE, pages * mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE)
        ctypes.memset(self.base + mmap.PAGESIZE, PATTERN, self.start - self.base - mmap.PAGESIZE)
        ctypes.memset(self.stop, PATTERN, end - self.stop)

    def overwritten(self) -> str | None:
        """Where the pattern is broken."""
        first, last = self.base + mmap.PAGESIZE, self.base + self.total - mmap.PAGESIZE
        before = window.read_bytes(first, self.start - first).rstrip(bytes((PATTERN,)))
        behind = window.read_bytes(self.stop, last - self.stop).lstrip(bytes((PATTERN,)))
        if behind:
            return f"{last - self.stop - len(behind)} bytes behind its end"
        return f"{self.start - first - len(before) + 1} bytes before its beginning" if before else None


_regions: dict[int, _Region] = {}
_quarantine: deque[_Region] = deque()
_lock = ProcessLock()


def guarded_alloc(size: int, alignment: int = FUNDAMENTAL) -> int:
    """`size` zeroed bytes that end (up to `alignment`) at an inaccessible page."""
    region = _Region(size, max(1, alignment))
    with _lock:
        _regions[region.start] = region
    return region.start


def guarded_free(address: int) -> None:
    """Make an allocation inaccessible. Raises CorruptedMemoryError when the bytes around it were
    overwritten."""
    if _lock is None:  # the interpreter is shutting down; the process's memory goes with it
        return
    with _lock:
        region = _regions.pop(address)
    broken = region.overwritten()
    _protect(region.base, region.total, _PROT_NONE)
    with _lock:
        _quarantine.append(region)
        oldest = _quarantine.popleft() if len(_quarantine) > QUARANTINE else None
    if oldest is not None:
        _libc.munmap(ctypes.c_void_p(oldest.base), ctypes.c_size_t(oldest.total))
    if broken:
        raise CorruptedMemoryError(f"{region.size} bytes at {address:#x} were overrun: {broken}")


_libc: Any = ctypes.CDLL(None, use_errno=True) if ENABLED else None


def _map(size: int) -> int:
    _libc.mmap.restype = ctypes.c_void_p
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    found = _libc.mmap(None, ctypes.c_size_t(size), _PROT_NONE, flags, -1, ctypes.c_long(0))
    if found in (None, _FAILED):
        raise MemoryError(f"cannot map {size} bytes: {os.strerror(ctypes.get_errno())}")
    return int(found)


def _protect(address: int, size: int, protection: int) -> None:
    if _libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), protection):
        raise MemoryError(f"cannot protect {size} bytes: {os.strerror(ctypes.get_errno())}")
