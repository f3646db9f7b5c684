"""Pages: the unit in which a system hands out, protects and locks memory."""

from __future__ import annotations

import os
from operator import index

from epsilon.foreign.api import AlignmentError, ArgumentValueError, BoundsError

#: Bytes of an ordinary page (POSIX ``sysconf(_SC_PAGESIZE)``; GetSystemInfo on Windows, which is 4 KiB).
PAGE_SIZE: int = os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 4096


def round_up(size: int, page: int = PAGE_SIZE) -> int:
    """The least multiple of `page`, a power of two, that is not below `size`."""
    return (size + page - 1) & -page


def round_down(address: int, page: int = PAGE_SIZE) -> int:
    """The greatest multiple of `page`, a power of two, that is not above `address`."""
    return address & -page


def whole_pages(offset: int, size: int | None, whole: int, page: int) -> tuple[int, int]:
    """The part [start, stop) of `whole` bytes that an offset and a size (None: the rest) mean.

    Raises AlignmentError unless it begins and ends where pages do (the end of the whole is such a place too),
    BoundsError when it is not inside, ArgumentValueError when it is empty.
    """
    start = index(offset)
    stop = whole if size is None else start + index(size)
    if not 0 <= start <= stop <= whole:
        raise BoundsError(f"bytes {start} to {stop} are not within the region's {whole}")
    if start == stop:
        raise ArgumentValueError(f"no bytes at offset {start}: there is nothing to do")
    if start % page or (stop % page and stop != whole):
        raise AlignmentError(f"bytes {start} to {stop} are not whole pages of {page} bytes")
    return start, stop
