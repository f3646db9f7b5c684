"""A range of addresses that is ours: made with guard pages and alignment, given back once.

The pages between the guards are mapped over a reservation, so nothing else can be where they go.
"""

from __future__ import annotations

import mmap as constants
from typing import Any, NamedTuple

from epsilon.foreign.backend import ProcessLock

from . import calls
from .pages import PAGE_SIZE, round_up

_ANONYMOUS = getattr(constants, "MAP_ANONYMOUS", 0x20)
_PRIVATE = getattr(constants, "MAP_PRIVATE", 0x02)
_SHARED = getattr(constants, "MAP_SHARED", 0x01)
#: ``MAP_FIXED`` is 0x10 on Linux, macOS and the BSDs; Python's `mmap` has no name for it.
_FIXED = 0x10
#: Linux (include/uapi/asm-generic/mman.h): address space for which no memory is set aside.
_NORESERVE = getattr(constants, "MAP_NORESERVE", 0)


class Backing(NamedTuple):
    """What the pages of a mapping are: the last arguments of mmap(2)."""

    protection: int
    shared: bool = False
    descriptor: int = -1
    offset: int = 0
    flags: int = 0

    def map(self, address: int, size: int, *, fixed: bool) -> int:
        """The address of new pages; `fixed`: over what is mapped at `address`, which must be ours."""
        flags = self.flags | (_SHARED if self.shared else _PRIVATE) | (_FIXED if fixed else 0)
        if self.descriptor == -1:
            flags |= _ANONYMOUS
        return calls.mmap(address, size, self.protection, flags, self.descriptor, self.offset)


_NOTHING = Backing(0, flags=_NORESERVE)


class Reservation:
    """Addresses [base, base + total), unmapped when the last that `hold` them have let go; `address` is behind the
    guard.

    Whoever makes one holds it. There is no finalizer here: among objects that the garbage collector finds in a cycle
    it could come before that of a pointer's owner, and leave the pointer to nothing.
    """

    __slots__ = ("_guard", "_holders", "_unmap", "address", "base", "page_lock", "total")

    def __init__(self, size: int, backing: Backing, *, guard: int = 0, alignment: int = PAGE_SIZE) -> None:
        # Attributes: module globals may be gone when the last holders die.
        self._unmap: Any = calls.munmap
        self._guard = ProcessLock()
        self._holders = 1
        #: What keeps the pages in RAM, if anything does.
        self.page_lock: Any = None
        whole = round_up(size, alignment)
        if not guard and alignment == PAGE_SIZE:
            self.base, self.total = backing.map(0, whole, fixed=False), whole
            self.address = self.base
            return
        slack = alignment - PAGE_SIZE
        room = whole + 2 * guard + slack
        self.base, self.total = _NOTHING.map(0, room, fixed=False), room
        try:
            self.address = round_up(self.base + guard, alignment)
            self._trim(self.address - guard, whole + 2 * guard)
            backing.map(self.address, whole, fixed=True)
        except BaseException:
            self.drop()
            raise

    def _trim(self, base: int, total: int) -> None:
        """Give back what alignment left over before and behind."""
        before, end = base - self.base, self.base + self.total
        if before:
            calls.munmap(self.base, before)
        self.base, self.total = base, end - base
        if end > base + total:
            calls.munmap(base + total, end - base - total)
        self.total = total

    def hold(self) -> None:
        """Keep the pages until `drop`."""
        with self._guard:
            self._holders += 1

    def drop(self) -> None:
        """One holder less; the last gives the pages back."""
        with self._guard:
            self._holders -= 1
            if self._holders:
                return
            total, self.total = self.total, 0
            held, self.page_lock = self.page_lock, None
        if held is not None:
            held.release()
        if total:
            self._unmap(self.base, total)

    def abandon(self) -> None:
        """Forget the addresses: they are not this process's any more."""
        self.total = 0
