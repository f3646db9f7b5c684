"""Timers to wait for: https://man7.org/linux/man-pages/man2/timerfd_create.2.html"""

from __future__ import annotations

import enum
import errno
from typing import NamedTuple

from epsilon.foreign.api import ArgumentValueError, Pointer, array, c, pointer, struct

from ..clib import Hints, libc, nonnegative, zero
from .descriptor import Descriptor, read


class Clock(enum.IntEnum):
    """What a timer goes by (include/uapi/linux/time.h)."""

    REALTIME = 0
    MONOTONIC = 1
    #: As MONOTONIC, counting while the system is suspended, too.
    BOOTTIME = 7
    #: These two wake the system up (CAP_WAKE_ALARM).
    REALTIME_ALARM = 8
    BOOTTIME_ALARM = 9


class TimerFDFlags(enum.IntFlag):
    """``TFD_…`` (include/uapi/linux/timerfd.h)."""

    TIMER_ABSTIME = 1
    TIMER_CANCEL_ON_SET = 2
    NONBLOCK = 0o4000
    CLOEXEC = 0o2000000


@struct
class timespec:
    """Seconds and nanoseconds."""

    tv_sec: c.long = 0
    tv_nsec: c.long = 0


@struct
class itimerspec:
    """The time between expirations, and until the next one."""

    it_interval: timespec = timespec()
    it_value: timespec = timespec()


_CREATE_HINTS: Hints = {errno.EPERM: "clocks that wake the system up need CAP_WAKE_ALARM"}


@libc.function(check=nonnegative(_CREATE_HINTS))
def timerfd_create(clock: c.int, flags: c.int) -> c.int: ...


@libc.function(check=zero({}))
def timerfd_settime(
    fd: c.int, flags: c.int, new_value: Pointer[itimerspec], old_value: Pointer[itimerspec]
) -> c.int: ...


@libc.function(check=zero({}))
def timerfd_gettime(fd: c.int, value: Pointer[itimerspec]) -> c.int: ...


class TimerState(NamedTuple):
    """Seconds until a timer expires next (0: it will not), and between expirations after that (0: it does so once)."""

    left: float
    interval: float


class TimerFD(Descriptor):
    """A timer that is ready for reading when it has expired. Linux 2.6.25.

    All times are seconds. The kernel counts nanoseconds; a float of the seconds since 1970 is exact to 240 of them.
    """

    __slots__ = ()

    def __init__(self, clock: Clock = Clock.MONOTONIC) -> None:
        super().__init__(timerfd_create(clock, TimerFDFlags.CLOEXEC | TimerFDFlags.NONBLOCK))

    def start(self, after: float, interval: float = 0) -> TimerState:
        """Expire in `after` seconds, and every `interval` from then on; the state before.

        `after` 0 expires at once, in a nanosecond. Raises ArgumentValueError for negative times.
        """
        return self._set(0, max(_nanoseconds(after), 1), _nanoseconds(interval))

    def start_at(self, when: float, interval: float = 0, *, cancel_on_set: bool = False) -> TimerState:
        """Expire when the timer's clock shows `when`, and every `interval` from then on; the state before.

        With `cancel_on_set` (of a REALTIME clock), `read` raises ForeignOSError (ECANCELED) when the clock is set
        meanwhile: whoever waits for a time of day looks again what it means.
        """
        flags = TimerFDFlags.TIMER_ABSTIME | (TimerFDFlags.TIMER_CANCEL_ON_SET if cancel_on_set else 0)
        return self._set(flags, max(_nanoseconds(when), 1), _nanoseconds(interval))

    def stop(self) -> TimerState:
        """Do not expire any more; the state before."""
        return self._set(0, 0, 0)

    @property
    def state(self) -> TimerState:
        """When it will expire."""
        value = itimerspec()
        timerfd_gettime(self.fileno(), pointer(value))
        return _state(value)

    def read(self, timeout: float | None = None) -> int:
        """How often it has expired since it was started or read last: waits for the first, up to `timeout` seconds.

        Raises WaitTimeoutError, ClosedDescriptorError.
        """
        count = array(c.uint64, 1)
        self._attempt(lambda fd: read(fd, count, 8), timeout)
        return count[0]

    def _set(self, flags: int, first: int, interval: int) -> TimerState:
        value = itimerspec(timespec(*divmod(interval, 10**9)), timespec(*divmod(first, 10**9)))
        before = itimerspec()
        timerfd_settime(self.fileno(), flags, pointer(value), pointer(before))
        return _state(before)


def _nanoseconds(seconds: float) -> int:
    if not 0 <= seconds < 2**63:
        raise ArgumentValueError(f"a time is a number of seconds from 0 on, not {seconds!r}")
    return round(seconds * 10**9)


def _seconds(value: timespec) -> float:
    return value.tv_sec + value.tv_nsec / 10**9


def _state(value: itimerspec) -> TimerState:
    return TimerState(_seconds(value.it_value), _seconds(value.it_interval))
