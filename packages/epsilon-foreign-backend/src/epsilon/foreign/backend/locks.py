"""A lock for state of the whole process, which arbitrary code may need at any moment."""

from __future__ import annotations

import os
import weakref
from _thread import RLock

_all: weakref.WeakSet[ProcessLock] = weakref.WeakSet()


class ProcessLock(RLock):  # type: ignore[misc]  # final to type checkers alone
    """Re-entrant, and free in a forked child unless the forking thread itself holds it.

    While code holds a lock the interpreter may run a finalizer or a signal handler on the same thread, which
    may call foreign functions: a plain lock would wait for itself. What it guards must therefore stand being
    entered twice at any call. A child inherits the locks that the parent's other threads hold, and nobody who
    could release them.

    It is a lock, and does not hold one: a signal handler that raises between an acquisition inside a Python
    `__enter__` and the ``with`` block would leave it locked for ever. The interpreter handles no signal between
    the two when `__enter__` is the lock's own (https://github.com/python/cpython/issues/74174).
    """

    def __init__(self) -> None:
        _all.add(self)

    def _start_over(self) -> None:
        if self.acquire(blocking=False):
            self.release()
        else:
            self._at_fork_reinit()  # type: ignore[attr-defined]  # as threading.Condition uses it


def _start_over() -> None:
    for lock in list(_all):
        lock._start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)
