"""Memory that stays in RAM: https://man7.org/linux/man-pages/man2/mlock.2.html

The kernel does not count: one munlock(2) undoes any number of mlock(2) of a page. Here pages are unlocked when the
last `PageLock` that covers them is released.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.api import ArgumentValueError, ForeignOSError, c, from_buffer
from epsilon.foreign.backend import ProcessLock

from . import calls
from .pages import round_down, round_up

_Range = tuple[int, int]

#: The pages that are locked, as [start, stop), by the id of their lock; a child of fork(2) inherits no locks.
_held: dict[int, _Range] = {}
_guard = ProcessLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_held.clear)


class PageLock:
    """All pages that `size` bytes at `address` touch, locked until `release`, or as long as this object lives.

    `keep` is what must not be freed meanwhile.
    """

    __slots__ = ("_keep", "start", "stop")

    def __init__(self, address: int, size: int, keep: Any = None, *, on_fault: bool = False) -> None:
        self.start = self.stop = 0
        if size <= 0:
            raise ArgumentValueError(f"cannot lock {size} bytes")
        start, stop = round_down(address), round_up(address + size)
        with _guard:
            if on_fault:
                calls.mlock2(start, stop - start, calls.MLOCK_ONFAULT)
            else:
                calls.mlock(start, stop - start)
            _held[id(self)] = start, stop
        self.start, self.stop = start, stop
        self._keep = keep

    def release(self) -> None:
        """Unlock the pages that no other lock covers; the second time does nothing."""
        if _guard is None:  # the interpreter is shutting down, and the locks go with the process
            return
        with _guard:
            mine = _held.pop(id(self), None)
            if mine is not None:
                for start, stop in _uncovered(mine, _held.values()):
                    _unlock(start, stop)
        self.start = self.stop = 0
        self._keep = None

    @property
    def size(self) -> int:
        """Bytes of the locked pages; 0 after `release`."""
        return self.stop - self.start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if getattr(self, "stop", 0):
            self.release()

    def __repr__(self) -> str:
        return f"<PageLock {self.start:#x}, {self.size} bytes>" if self.stop else "<PageLock released>"


def lock(data: Any, *, on_fault: bool = False) -> PageLock:
    """Keep the memory of a struct, an array, a bounded pointer, or anything with a buffer in RAM.

    ``with lock(data): ...`` or until `PageLock.release`. Locks are of whole pages, nest and may overlap; meanwhile the
    memory cannot be freed (BufferError). `on_fault`: lock pages as they are touched, rather than bringing them all in.

    Raises ForeignOSError (PermissionError, or ENOMEM) naming the limit that was hit, TypeError for what has no memory.
    """
    memory = from_buffer(c.uint8, data)
    return PageLock(memory.address, len(memory), memory, on_fault=on_fault)


def _uncovered(wanted: _Range, others: Any) -> list[_Range]:
    """The parts of `wanted` that none of `others` covers."""
    parts, (at, stop) = [], wanted
    for low, high in sorted(others):
        if low >= stop:
            break
        if high > at:
            if low > at:
                parts.append((at, low))
            at = high
    if at < stop:
        parts.append((at, stop))
    return parts


def _unlock(start: int, stop: int) -> None:
    try:
        calls.munlock(start, stop - start)
    except ForeignOSError as error:
        if error.errno != errno.ENOMEM:  # pages that are not mapped any more are not locked, either
            raise
