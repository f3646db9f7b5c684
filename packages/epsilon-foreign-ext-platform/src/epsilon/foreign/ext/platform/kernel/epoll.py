"""Which of many descriptors are ready: https://man7.org/linux/man-pages/man7/epoll.7.html"""

from __future__ import annotations

import enum
import errno
import math
import os
import time
from typing import Any, NamedTuple

from epsilon.foreign.api import ArgumentValueError, Pointer, array, c, pointer, struct

from ..clib import Hints, libc, nonnegative, zero
from .descriptor import LONGEST, Descriptor, deadline_of


class EpollEvents(enum.IntFlag):
    """What to watch for, and what happened (include/uapi/linux/eventpoll.h)."""

    IN = 0x001
    PRI = 0x002
    OUT = 0x004
    #: These two are always watched for.
    ERR = 0x008
    HUP = 0x010
    RDHUP = 0x2000
    #: How to watch: one of many waiters; keep the system awake; once, until `modify`; changes only, not states.
    EXCLUSIVE = 1 << 28
    WAKEUP = 1 << 29
    ONESHOT = 1 << 30
    ET = 1 << 31


# x86-64 took over the 32-bit layout, where nothing is between the two members.
@struct(pack=4 if hasattr(os, "uname") and os.uname().machine == "x86_64" else None)
class epoll_event:
    """``struct epoll_event``; `data` comes back as it was given."""

    events: c.uint32
    data: c.uint64


_CREATE, _ADD, _DELETE, _MODIFY = 0o2000000, 1, 2, 3

_HINTS: Hints = {
    errno.EEXIST: "the descriptor is registered already; use modify",
    errno.ENOENT: "the descriptor is not registered",
    errno.EPERM: "a descriptor of this kind, such as a regular file, is always ready",
    errno.EBADF: "the descriptor is not open",
    errno.ELOOP: "epolls would watch each other in a circle, or too deeply",
    errno.EINVAL: "an epoll cannot watch itself, nor be watched with EXCLUSIVE",
}


@libc.function(check=nonnegative({}))
def epoll_create1(flags: c.int) -> c.int: ...


@libc.function(check=zero(_HINTS))
def epoll_ctl(epoll: c.int, operation: c.int, fd: c.int, event: Pointer[epoll_event]) -> c.int: ...


@libc.function(check=nonnegative({}))
def epoll_wait(epoll: c.int, events: Pointer[epoll_event], size: c.int, milliseconds: c.int) -> c.int: ...


class Ready(NamedTuple):
    """One descriptor that is ready: the `data` it was registered with, its number unless given, and why."""

    data: int
    events: EpollEvents


class Epoll(Descriptor):
    """A set of descriptors, and the wait for them. Linux 2.6.27.

    A closed descriptor leaves the set by itself, once all its duplicates are closed.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(epoll_create1(_CREATE))

    def register(self, fd: Any, events: EpollEvents = EpollEvents.IN, data: int | None = None) -> None:
        """Watch a descriptor (a number, or an object with ``fileno()``) for `events`; `data` (0 to 2**64 - 1) names it.

        Raises ForeignOSError (FileExistsError when it is watched already), ArgumentRangeError.
        """
        self._control(_ADD, fd, events, data)

    def modify(self, fd: Any, events: EpollEvents, data: int | None = None) -> None:
        """Watch a registered descriptor for other events. Raises ForeignOSError (FileNotFoundError)."""
        self._control(_MODIFY, fd, events, data)

    def unregister(self, fd: Any) -> None:
        """Watch a descriptor no longer. Raises ForeignOSError (FileNotFoundError)."""
        self._control(_DELETE, fd, EpollEvents(0), None)

    def wait(self, timeout: float | None = None, limit: int = 64) -> list[Ready]:
        """What is ready, at most `limit` at a time: waits for the first, up to `timeout` seconds (None: for ever).

        An empty list when the time is over. Raises ArgumentValueError.
        """
        if limit < 1:
            raise ArgumentValueError(f"limit={limit}: at least one has to be waited for")
        deadline = deadline_of(timeout)
        events = array(epoll_event, limit)
        while True:
            left = LONGEST if deadline is None else max(0.0, min(deadline - time.monotonic(), LONGEST))
            try:
                # Rounded up: whoever waits 0.1 ms is not to spin through 0 ms waits.
                count = epoll_wait(self.fileno(), pointer(events), limit, math.ceil(left * 1000))
            except InterruptedError:
                continue
            if count or (deadline is not None and time.monotonic() >= deadline):
                return [Ready(event.data, EpollEvents(event.events)) for event in events[:count]]

    def _control(self, operation: int, fd: Any, events: EpollEvents, data: int | None) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        # A negative number is no descriptor, as the kernel will say.
        event = epoll_event(EpollEvents(events), max(number, 0) if data is None else data)
        epoll_ctl(self.fileno(), operation, number, pointer(event))
