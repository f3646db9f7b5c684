"""A lock for state of the whole process, which arbitrary code may need at any moment."""

from __future__ import annotations

import os
import threading
import weakref

_all: weakref.WeakSet[ProcessLock] = weakref.WeakSet()


class ProcessLock:
    """Re-entrant, and free in a forked child unless the forking thread itself holds it.

    While code holds a lock the interpreter may run a finalizer or a signal handler on the same thread, which
    may call foreign functions: a plain lock would wait for itself. What it guards must therefore stand being
    entered twice at any call. A child inherits the locks that the parent's other threads hold, and nobody who
    could release them.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _all.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _start_over(self) -> None:
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock = threading.RLock()


def _start_over() -> None:
    for lock in list(_all):
        lock._start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)
