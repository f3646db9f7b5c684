"""Mapped memory as an object: pages of a kind, pointers into them, and their end.

https://man7.org/linux/man-pages/man2/mmap.2.html
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import weakref
from contextlib import suppress
from operator import index
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.api import ArgumentValueError, BoundsError, ForeignOSError, LifetimeError, c, sizeof
from epsilon.foreign.backend import ProcessLock

from . import calls
from .advice import Advice
from .hugepages import pool_flags, pool_hint, transparent_size
from .pages import PAGE_SIZE, round_up, whole_pages
from .protection import Protection
from .reservation import Backing, Reservation
from .rights import Rights

_READ_WRITE = Protection.READ | Protection.WRITE
#: Linux: have the pages at once (mmap(2)); elsewhere the first access brings them.
_POPULATE = 0x8000 if sys.platform == "linux" else 0


class Region:
    """Pages that `map` got from the system, until `close`, or until the last pointer into them is gone.

    Pointers and arrays are typed, bounded and checked as everywhere: when the region is closed, or the pages lose
    rights that a pointer needs, using it raises LifetimeError. Closing and protecting raise BufferError while a
    memoryview or numpy array of the memory exists. What C still does there meanwhile is, as ever, the program's
    business; so is closing a region that another thread is using.
    """

    def __init__(
        self, reservation: Reservation, size: int, protection: Protection, page: int, backing: str
    ) -> None:
        self._reservation = reservation
        self._rights = Rights(reservation, size, protection)
        self._guard = ProcessLock()
        self._backing = backing
        self._closed = False
        self._holds = True
        #: Bytes that may be used.
        self.size = size
        #: Bytes of a page: what `protect`, `advise` and their offsets go by.
        self.page_size = page

    @property
    def address(self) -> int:
        """Where the first byte is. Raises LifetimeError when the region is closed."""
        self._check()
        return self._reservation.address

    @property
    def closed(self) -> bool:
        """Have the pages been given back?"""
        return self._closed

    def __len__(self) -> int:
        return self.size

    def pointer(
        self, type: Any = c.uint8, offset: int = 0, count: int | None = None, *, write: bool | None = None
    ) -> Any:
        """A pointer to `count` values of a type (None: as many as fit) from `offset` bytes on.

        It can be written through if the pages can, unless `write` insists on that (ConstError otherwise) or does
        without. Raises BoundsError, LifetimeError, and ArgumentValueError for pages that may not be read or where
        rights change in between.
        """
        size, start = sizeof(type), index(offset)
        if not 0 <= start <= self.size:
            raise BoundsError(f"offset {start} is not within the region's {self.size} bytes")
        wanted = (self.size - start) // size if count is None else index(count)
        if not 0 <= wanted * size <= self.size - start:
            raise BoundsError(
                f"{wanted} elements of {size} bytes at offset {start}: the region has {self.size} bytes"
            )
        with self._guard:
            self._check()
            made = self._rights.pointer(start, start + wanted * size, write=write)
        return made.cast(type).bounded(wanted)

    def array(
        self, type: Any = c.uint8, count: int | None = None, offset: int = 0, *, write: bool | None = None
    ) -> Any:
        """An array over the memory, as `pointer` takes it; for ``memoryview`` and numpy, too."""
        made = self.pointer(type, offset, count, write=write)
        return made[0 : len(made)]

    def protection(self, offset: int = 0) -> Protection:
        """The rights to the page at `offset` bytes. Raises BoundsError, LifetimeError."""
        with self._guard:
            self._check()
            if not 0 <= index(offset) < self.size:
                raise BoundsError(f"offset {offset} is not within the region's {self.size} bytes")
            return self._rights.at(offset)

    def protect(self, protection: Protection, offset: int = 0, size: int | None = None) -> None:
        """Give whole pages these rights and no others.

        Pointers that need a right which is taken away end, with all that were taken from the same stretch of equal
        rights; take new ones afterwards. Raises BufferError, AlignmentError, BoundsError, LifetimeError, and
        ForeignOSError (PermissionError) for what the file behind the pages does not allow.
        """
        rights = Protection(protection)
        with self._guard:
            self._check()
            start, stop = whole_pages(offset, size, self.size, self.page_size)
            self._rights.prepare(start, stop, rights)
            calls.mprotect(self._reservation.address + start, self._span(start, stop), rights)
            self._rights.change(start, stop, rights)

    def advise(self, advice: Advice, offset: int = 0, size: int | None = None) -> None:
        """Tell the kernel of whole pages: madvise(2). Raises ForeignOSError, AlignmentError, LifetimeError.

        `DONTNEED` and its kin change what is in the pages. After `DONTFORK` the region has ended in a forked child.
        """
        with self._guard:
            self._check()
            start, stop = whole_pages(offset, size, self.size, self.page_size)
            calls.madvise(self._reservation.address + start, self._span(start, stop), Advice(advice))
            if advice == Advice.DONTFORK:
                _not_in_children.add(self)

    def flush(self, offset: int = 0, size: int | None = None) -> None:
        """Write changed pages of a shared file to it, and wait: msync(2). Raises ForeignOSError, AlignmentError."""
        with self._guard:
            self._check()
            start, stop = whole_pages(offset, size, self.size, self.page_size)
            calls.msync(self._reservation.address + start, self._span(start, stop), calls.MS_SYNC)

    def lock(self, *, on_fault: bool = False) -> None:
        """Keep the pages in RAM until `unlock`, or as long as there are any; see `memory.lock` for what that raises."""
        from .locking import PageLock

        with self._guard:
            self._check()
            held = self._reservation
            if held.page_lock is None:
                held.page_lock = PageLock(held.address, self._span(0, self.size), on_fault=on_fault)

    def unlock(self) -> None:
        """Let the pages be swapped out again."""
        with self._guard:
            held, self._reservation.page_lock = self._reservation.page_lock, None
        if held is not None:
            held.release()

    def close(self) -> None:
        """End all pointers and give the pages back. Closing twice does nothing.

        Raises BufferError while a buffer of the memory is exported.
        """
        with self._guard:
            if self._closed:
                return
            self._rights.end()
            self._closed = True
        self._drop()

    def _drop(self) -> None:
        """Let go of the pages, once: pointers hold them, too."""
        held, self._holds = self._holds, False
        if held:
            self._reservation.drop()

    def __del__(self) -> None:
        if getattr(self, "_holds", False):
            self._drop()

    def _forget(self) -> None:
        """In a forked child that does not have the pages: end all pointers, and unmap nothing."""
        with suppress(BufferError):
            self._rights.end()
        self._closed = True
        self._reservation.abandon()

    def _span(self, start: int, stop: int) -> int:
        """Bytes of the pages of [start, stop): the last one counts whole."""
        return round_up(stop, self.page_size) - start

    def _check(self) -> None:
        # In a cycle the finalizer may have been here before other uses.
        if self._closed or not self._reservation.total:
            raise LifetimeError("the region is closed")

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._closed:
            return "<Region closed>"
        rights = "/".join(stretch.protection.letters for stretch in self._rights.stretches)
        return f"<Region {self._reservation.address:#x}, {self.size} bytes of {self._backing}, {rights}>"

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle a Region: an address means nothing in another process")


_not_in_children: weakref.WeakSet[Region] = weakref.WeakSet()


def _forget_in_child() -> None:
    for region in list(_not_in_children):
        region._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def map(
    size: int | None = None,
    *,
    protection: Protection = _READ_WRITE,
    file: Any = None,
    offset: int = 0,
    shared: bool = False,
    guard: bool = False,
    huge: bool | int = False,
    populate: bool = False,
    lock: bool = False,
    name: str | None = None,
) -> Region:
    """Memory from the system, in pages, zeroed; or a part of a file.

    Args:
        size: Bytes. Of a file, None is the rest of it from `offset`.
        protection: What may be done with the pages at first.
        file: A descriptor or an object with ``fileno()``, which may be closed afterwards.
        offset: Bytes into the file, a multiple of the page size.
        shared: What is written is seen by other mappings of the file, and without a file by forked children.
            Otherwise it is this process's alone.
        guard: An inaccessible page on either side: code that runs past the region is stopped there.
        huge: True for transparent huge pages, which the kernel uses when it can; a number of bytes for explicit ones
            of that size from the pool that the system's administrator has filled (`huge_pages`).
        populate: Have all pages now rather than at the first access.
        lock: Keep the pages in RAM, as `Region.lock`.
        name: What /proc/self/maps shows, where the kernel can.

    Raises ArgumentValueError, BoundsError beyond the end of the file (where touching memory kills a process), and
    ForeignOSError with what to do about it. A file that others shorten later has such an end all the same: a `MemFD`
    sealed against that has not.
    """
    descriptor = -1 if file is None else file if isinstance(file, int) else file.fileno()
    length, start = _extent(size, descriptor, index(offset))
    page, alignment, flags = _page_kind(huge)
    rights = Protection(protection)
    # The kernel has to hear of transparent huge pages before there are any pages.
    at_once = _POPULATE if populate and huge is not True else 0
    backing = Backing(rights, shared, descriptor, start, flags | at_once)
    try:
        reservation = Reservation(length, backing, guard=PAGE_SIZE if guard else 0, alignment=alignment)
    except ForeignOSError as error:
        if page != PAGE_SIZE and error.errno == errno.ENOMEM:
            raise type(error)(error.errno, f"{error.strerror}: {pool_hint(page)}") from None
        raise
    what = f"fd {descriptor}" if file is not None else f"{page}-byte pages" if page != PAGE_SIZE else "memory"
    region = Region(reservation, length, rights, page, what)
    if huge is True:
        region.advise(Advice.HUGEPAGE)
        if populate:
            region.advise(Advice.POPULATE_WRITE if rights & Protection.WRITE else Advice.POPULATE_READ)
    if name is not None:
        calls.name_pages(reservation.address, round_up(length, page), name)
    if lock:
        region.lock()
    return region


def _extent(size: int | None, descriptor: int, offset: int) -> tuple[int, int]:
    """The bytes to map and where they begin in the file."""
    if offset < 0 or offset % PAGE_SIZE:
        raise ArgumentValueError(f"offset {offset} is no multiple of the page size, {PAGE_SIZE}")
    if descriptor == -1 and (size is None or offset):
        raise ArgumentValueError("without a file, say how many bytes to map, and no offset")
    there = -1 if descriptor == -1 else _bytes_behind(descriptor, offset)
    if size is None and there < 0:
        raise ArgumentValueError(
            f"say how many bytes to map: descriptor {descriptor} is no file that has a size"
        )
    length = there if size is None else index(size)
    if 0 <= there < length:
        raise BoundsError(f"cannot map {length} bytes at offset {offset}: the file ends after {there}")
    if length <= 0:
        raise ArgumentValueError(f"cannot map {length} bytes")
    return length, offset


def _bytes_behind(descriptor: int, offset: int) -> int:
    """Bytes of a regular file from `offset` on; -1 for a device, whose size is its driver's business."""
    status = os.fstat(descriptor)
    return max(0, status.st_size - offset) if stat.S_ISREG(status.st_mode) else -1


def _page_kind(huge: bool | int) -> tuple[int, int, int]:
    """For `huge`: bytes of a page, the alignment of the first, and flags for mmap(2)."""
    if huge is False:
        return PAGE_SIZE, PAGE_SIZE, 0
    if huge is True:
        return PAGE_SIZE, transparent_size() or PAGE_SIZE, 0
    return huge, huge, pool_flags(huge)
