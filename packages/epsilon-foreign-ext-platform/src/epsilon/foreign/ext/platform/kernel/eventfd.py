"""A counter to wait for: https://man7.org/linux/man-pages/man2/eventfd.2.html"""

from __future__ import annotations

import enum
import select

from epsilon.foreign.api import array, c

from ..clib import libc, nonnegative
from .descriptor import Descriptor, read, write


class EventFDFlags(enum.IntFlag):
    """``EFD_…`` (include/uapi/linux/eventfd.h, whose numbers are those of ``O_…``)."""

    SEMAPHORE = 1
    NONBLOCK = 0o4000
    CLOEXEC = 0o2000000


@libc.function(check=nonnegative({}))
def eventfd(initial: c.uint, flags: c.int) -> c.int: ...


class EventFD(Descriptor):
    """A number that one side adds to and the other waits for and takes: between threads, processes, and the kernel.

    Linux 2.6.27. It is ready for reading when it is not 0. With `semaphore`, every `read` takes 1.
    """

    __slots__ = ()

    #: The highest it can be.
    HIGHEST = 2**64 - 2

    def __init__(self, initial: int = 0, *, semaphore: bool = False) -> None:
        flags = EventFDFlags.CLOEXEC | EventFDFlags.NONBLOCK
        super().__init__(eventfd(initial, flags | EventFDFlags.SEMAPHORE if semaphore else flags))

    def read(self, timeout: float | None = None) -> int:
        """Take the number, or 1 of a semaphore: waits until it is not 0, up to `timeout` seconds.

        Raises WaitTimeoutError, ClosedDescriptorError.
        """
        value = array(c.uint64, 1)
        self._attempt(lambda fd: read(fd, value, 8), timeout)
        return value[0]

    def write(self, count: int = 1, timeout: float | None = None) -> None:
        """Add to the number: waits until it would not exceed `HIGHEST`, up to `timeout` seconds.

        Raises WaitTimeoutError, ArgumentRangeError for what does not fit 64 bits, ForeignOSError for 2**64 - 1.
        """
        value = array(c.uint64, [count])
        self._attempt(lambda fd: write(fd, value, 8), timeout, select.POLLOUT)
