"""An arena for keys and passwords: locked, not dumped, not inherited, wiped.

What the kernel is told is in https://man7.org/linux/man-pages/man2/madvise.2.html (MADV_DONTDUMP, MADV_WIPEONFORK) and
https://man7.org/linux/man-pages/man2/mlock.2.html.
"""

from __future__ import annotations

import os
import sys
import weakref
from contextlib import suppress
from typing import Any, ClassVar

from epsilon.foreign.api import Arena, ArgumentTypeError, LifetimeError, c, from_buffer
from epsilon.foreign.backend import ProcessLock, type_name

from ..clib import libc
from ..errors import UnsupportedPlatformError
from . import calls
from .advice import Advice
from .locking import PageLock
from .pages import PAGE_SIZE, round_up
from .protection import Protection
from .reservation import Backing, Reservation


def _make_wipe() -> Any:
    """explicit_bzero(3); where there is none, memset(3), which no compiler can leave out of code that is called."""
    if "explicit_bzero" in libc:
        return libc.bind("explicit_bzero", None, [c.uintptr_t, c.size_t])
    memset = libc.bind("memset", c.uintptr_t, [c.uintptr_t, c.int, c.size_t])
    return lambda address, size: memset(address, 0, size)


_wipe = _make_wipe()


class SecretArena(Arena):
    """An `Arena` whose memory is for secrets. Linux 4.14 and later.

    It is locked, so it is never written to swap; left out of core dumps; between guard pages; overwritten with zeros
    before the system gets it back, by `close`, by the end of a ``with`` block or with the arena; and not inherited: in
    a child of fork(2) the kernel puts zeros in its place, and the arena and what is in it have ended.

    Python's own strings and bytes are copied by Python as it likes and wiped by nobody: use `take`, or let C write
    into the memory. A debugger, a process with the right to read this one's memory, and hibernation see secrets still.
    """

    __slots__ = ("_pages",)

    def __init__(self, *, confined: bool = False, lock: bool = True) -> None:
        """`lock` False does without locking, where the limit for locked memory is too low (RLIMIT_MEMLOCK)."""
        if sys.platform != "linux":
            raise UnsupportedPlatformError(f"SecretArena needs Linux' madvise(2); this is {sys.platform}")
        self._pages = pages = _Pages()

        def source(size: int, alignment: int) -> tuple[int, Any]:
            return pages.take(size, alignment, lock)

        super().__init__(confined=confined, source=source, block=PAGE_SIZE)
        _not_in_children.add(self)

    def take(self, data: Any) -> Any:
        """Move bytes in: a pointer to a copy of `data`, a writable buffer that is zeros afterwards.

        Raises ArgumentTypeError for what cannot be overwritten, such as bytes.
        """
        if memoryview(data).readonly:
            raise ArgumentTypeError(
                f"expected a buffer that can be overwritten, got {type_name(data)}; `bytes` copies one that cannot"
            )
        there = from_buffer(c.uint8, data)
        made = self.alloc(c.uint8, len(there))
        if len(there):
            made[0 : len(there)] = there
            _wipe(there.address, len(there))
        return made

    def wipe(self) -> None:
        """Overwrite everything in the arena with zeros; it stays usable. Raises LifetimeError."""
        if self.closed:
            raise LifetimeError("the arena is closed")
        self._pages.wipe()


class _Pages:
    """The pages of an arena."""

    # What finalizers need, when module globals may be gone.
    _wipe: ClassVar[Any] = staticmethod(_wipe)

    def __init__(self) -> None:
        self._taken: list[tuple[Reservation, int]] = []
        self._guard = ProcessLock()

    def take(self, size: int, alignment: int, lock: bool) -> tuple[int, Any]:
        """See `Arena`: the source of its blocks."""
        # More than pages are aligned to is what a user has to ask for.
        slack = alignment - PAGE_SIZE if alignment > PAGE_SIZE else 0
        whole = round_up(size + slack)
        # No `Region`, whose finalizer may come before that of the arena: these pages are the arena's alone.
        taken = Reservation(whole, Backing(Protection.READ | Protection.WRITE), guard=PAGE_SIZE)
        try:
            for advice in (Advice.DONTDUMP, Advice.WIPEONFORK):
                calls.madvise(taken.address, whole, advice)
            if lock:
                taken.page_lock = PageLock(taken.address, whole)
            calls.name_pages(taken.address, whole, "secret")
        except BaseException:
            taken.drop()
            raise
        with self._guard:
            self._taken.append((taken, whole))
        return (taken.address + alignment - 1) & -alignment, lambda _: self.give_back(taken, whole)

    def give_back(self, taken: Reservation, whole: int) -> None:
        """Wipe memory and unmap it."""
        with self._guard:
            self._wipe(taken.address, whole)
            self._taken.remove((taken, whole))
            taken.drop()

    def wipe(self) -> None:
        """Overwrite everything with zeros."""
        with self._guard:
            for taken, whole in self._taken:
                self._wipe(taken.address, whole)


_not_in_children: weakref.WeakSet[SecretArena] = weakref.WeakSet()


def _end_in_child() -> None:
    """The kernel has put zeros in the place of the secrets: nobody is to take them for keys."""
    for arena in list(_not_in_children):
        # In use by a buffer, or confined to a thread that this process does not have: then they are zeros.
        with suppress(BufferError, LifetimeError):
            arena.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_in_child)
