"""Semaphores in shared memory: one process waits for another without a system call when there is nothing to wait for.

POSIX semaphores of the C library (https://man7.org/linux/man-pages/man7/sem_overview.7.html), which are futexes
underneath, and order memory on every processor: what was written before a `post` is seen after the `wait` for it.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import window

from .machine import INT, WORD, c_function

#: Bytes that a semaphore may take, and a cache line more for what waits in C: a `struct timespec`.
SIZE = 128
_TIMESPEC = 64
_timespec = struct.Struct("=qq")


class Semaphore:
    """A semaphore at `address`, in memory that processes share. `post` and `take` are the C functions themselves:
    ``take() == 0`` when there was something to take."""

    def __init__(self, address: int) -> None:
        self.address = address
        post, take = c_function("sem_post", INT, WORD), c_function("sem_trywait", INT, WORD)
        self._init = c_function("sem_init", INT, WORD, INT, INT)
        self.post: Callable[[int], int] = post
        self.take: Callable[[int], int] = take
        self._wait = c_function("sem_wait", INT, WORD, release_gil=True)
        self._wait_until, self._clock = _timed()

    def reset(self) -> None:
        """Make it anew, with nothing to take."""
        self._init(self.address, 1, 0)

    def wait(self) -> None:
        """Wait for ever."""
        while self._wait(self.address):
            pass  # interrupted by a signal, whose handler has run

    def wait_for(self, seconds: float) -> bool:
        """Wait for so long at most, or until a signal came; True when it was taken."""
        until = time.clock_gettime_ns(self._clock) + int(seconds * 1e9)
        deadline = _timespec.pack(*divmod(until, 1_000_000_000))
        # On one's own side of the shared memory, in case the other process does not behave.
        window.write_bytes(self.address + _TIMESPEC, deadline)
        return not self._wait_until(self.address, self.address + _TIMESPEC)


def _timed() -> tuple[Any, int]:
    """The waiting function of the C library and the clock that it goes by."""
    try:
        wait = c_function("sem_clockwait", INT, WORD, INT, WORD, release_gil=True)
    except LookupError:  # not glibc 2.30 or later
        return c_function("sem_timedwait", INT, WORD, WORD, release_gil=True), time.CLOCK_REALTIME
    clock = time.CLOCK_MONOTONIC
    return (lambda address, deadline: wait(address, clock, deadline)), clock
