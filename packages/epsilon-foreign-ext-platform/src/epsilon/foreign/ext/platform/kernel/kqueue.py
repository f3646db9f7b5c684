"""macOS' and FreeBSD's queue of events: https://man.freebsd.org/cgi/man.cgi?query=kqueue

Declared from those systems' ``sys/event.h``; layouts and numbers are tested, the calls have never been made: where
there is no kqueue(), using it raises UnsupportedPlatformError.
"""

from __future__ import annotations

import enum
import sys
import time
from collections.abc import Sequence
from typing import Any, Literal

from epsilon.foreign.api import ArgumentValueError, Array, Pointer, array, c, null, pointer, struct

from ..clib import libc, nonnegative
from .descriptor import Descriptor, deadline_of
from .timerfd import timespec


class KqueueFlags(enum.IntFlag):
    """What to do with an event, and what is said of it (``EV_…``)."""

    ADD = 0x0001
    DELETE = 0x0002
    ENABLE = 0x0004
    DISABLE = 0x0008
    ONESHOT = 0x0010
    CLEAR = 0x0020
    RECEIPT = 0x0040
    DISPATCH = 0x0080
    ERROR = 0x4000
    EOF = 0x8000


#: ``EVFILT_…`` by `sys.platform` without its version: what is watched.
FILTERS: dict[str, dict[str, int]] = {
    "darwin": {
        "READ": -1, "WRITE": -2, "AIO": -3, "VNODE": -4, "PROC": -5, "SIGNAL": -6, "TIMER": -7, "MACHPORT": -8,
        "FS": -9, "USER": -10,
    },
    "freebsd": {
        "READ": -1, "WRITE": -2, "AIO": -3, "VNODE": -4, "PROC": -5, "SIGNAL": -6, "TIMER": -7, "PROCDESC": -8,
        "FS": -9, "LIO": -10, "USER": -11, "SENDFILE": -12,
    },
}  # fmt: skip


class KqueueNotes(enum.IntFlag):
    """``NOTE_…`` that both systems number alike: of VNODE, of PROC, and of USER events."""

    DELETE = 0x01
    WRITE = 0x02
    EXTEND = 0x04
    ATTRIB = 0x08
    LINK = 0x10
    RENAME = 0x20
    REVOKE = 0x40
    EXIT = 1 << 31
    FORK = 1 << 30
    EXEC = 1 << 29
    TRIGGER = 1 << 24


@struct
class kevent_darwin:
    """``struct kevent`` of macOS: 32 bytes."""

    ident: c.uint64
    filter: c.int16
    flags: c.uint16
    fflags: c.uint32
    data: c.int64
    udata: c.uint64


@struct
class kevent_freebsd:
    """``struct kevent`` of FreeBSD 12 and later: 64 bytes."""

    ident: c.uint64
    filter: c.int16
    flags: c.uint16
    fflags: c.uint32
    data: c.int64
    udata: c.uint64
    ext: Array[c.uint64, Literal[4]]


def layout(system: str = sys.platform) -> Any:
    """The class of ``struct kevent`` on a system, as `sys.platform` names it."""
    return kevent_freebsd if system.startswith("freebsd") else kevent_darwin


def filters(system: str = sys.platform) -> dict[str, int]:
    """``EVFILT_…`` of a system by name."""
    return FILTERS["freebsd" if system.startswith("freebsd") else "darwin"]


_kevent: Any = layout()


@libc.function(check=nonnegative({}))
def kqueue() -> c.int: ...


@libc.function(check=nonnegative({}))
def kevent(
    kq: c.int,
    changes: Pointer[_kevent],
    change_count: c.int,
    events: Pointer[_kevent],
    event_count: c.int,
    timeout: Pointer[timespec],
) -> c.int: ...


class Kqueue(Descriptor):
    """A queue of events of many kinds, and the wait for them. macOS, FreeBSD."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(kqueue())

    def change(
        self,
        ident: Any,
        filter: str,
        flags: KqueueFlags = KqueueFlags.ADD,
        notes: int = 0,
        data: int = 0,
        udata: int = 0,
    ) -> None:
        """Add, change or remove an event: of a descriptor (or an object with ``fileno()``), a pid, a signal, ...

        `filter` is a name of `filters`. Raises ForeignOSError, ArgumentValueError for a filter that is not there.
        """
        known = filters()
        if filter not in known:
            raise ArgumentValueError(f"no filter {filter!r} on {sys.platform}; there are {', '.join(known)}")
        number = ident if isinstance(ident, int) else ident.fileno()
        wanted = _kevent(number, known[filter], KqueueFlags(flags), notes, data, udata)
        self._call(array(_kevent, [wanted]), 0, timespec(0, 0))

    def wait(self, timeout: float | None = None, limit: int = 64) -> Sequence[Any]:
        """What happened, at most `limit`: waits for the first, up to `timeout` seconds (None: for ever)."""
        if limit < 1:
            raise ArgumentValueError(f"limit={limit}: at least one has to be waited for")
        deadline = deadline_of(timeout)
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                return self._call(None, limit, left if left is None else _timespec(left))
            except InterruptedError:
                continue

    def _call(self, changes: Any, limit: int, timeout: Any) -> Sequence[Any]:
        found = array(_kevent, max(limit, 1))
        count = kevent(
            self.fileno(),
            null(_kevent) if changes is None else pointer(changes),
            0 if changes is None else len(changes),
            pointer(found),
            limit,
            null(timespec) if timeout is None else pointer(timeout),
        )
        return list(found[:count])


def _timespec(seconds: float) -> timespec:
    whole, rest = divmod(round(seconds * 10**9), 10**9)
    return timespec(whole, rest)
