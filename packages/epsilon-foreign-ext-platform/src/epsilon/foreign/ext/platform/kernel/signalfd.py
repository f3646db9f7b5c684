"""Signals to wait for: https://man7.org/linux/man-pages/man2/signalfd.2.html"""

from __future__ import annotations

import errno
import signal as pysignal
from collections.abc import Iterable
from typing import Literal

from epsilon.foreign.api import Array, Pointer, array, c, pointer, struct

from ..clib import Hints, libc, nonnegative, zero
from .descriptor import Descriptor, read


@struct
class signalfd_siginfo:
    """``struct signalfd_siginfo``: a signal that was taken, and who sent it (include/uapi/linux/signalfd.h)."""

    ssi_signo: c.uint32
    ssi_errno: c.int32
    ssi_code: c.int32
    ssi_pid: c.uint32
    ssi_uid: c.uint32
    ssi_fd: c.int32
    ssi_tid: c.uint32
    ssi_band: c.uint32
    ssi_overrun: c.uint32
    ssi_trapno: c.uint32
    ssi_status: c.int32
    ssi_int: c.int32
    ssi_ptr: c.uint64
    ssi_utime: c.uint64
    ssi_stime: c.uint64
    ssi_addr: c.uint64
    ssi_addr_lsb: c.uint16
    _: c.uint16
    ssi_syscall: c.int32
    ssi_call_addr: c.uint64
    ssi_arch: c.uint32
    _1: Array[c.uint8, Literal[28]]

    @property
    def signal(self) -> pysignal.Signals | int:
        """The signal, as Python's enum; a real-time signal between the named ones as a number."""
        try:
            return pysignal.Signals(self.ssi_signo)
        except ValueError:
            return self.ssi_signo


@struct
class sigset_t:
    """A set of signals, in the 1024 bits that glibc takes (musl: the same)."""

    bits: Array[c.ulong, Literal[16]]


_FLAGS = 0o2000000 | 0o4000  # SFD_CLOEXEC, SFD_NONBLOCK
_HINTS: Hints = {errno.EINVAL: "the descriptor is none of signalfd(), or a flag is unknown"}


@libc.function(check=nonnegative(_HINTS))
def signalfd(fd: c.int, mask: Pointer[sigset_t], flags: c.int) -> c.int: ...


@libc.function(check=zero({errno.EINVAL: "there is no such signal"}))
def sigaddset(signals: Pointer[sigset_t], number: c.int) -> c.int: ...


class SignalFD(Descriptor):
    """Signals that are read rather than handled. Linux 2.6.27.

    Signals come here only while they are blocked in every thread that could take them. By `block` (the default) this
    thread, and those it starts from then on, block them until `close`, which must be called by the same thread; then
    those that nobody has read are delivered as usual. So make it before other threads, or block the signals in them.
    """

    __slots__ = ("_before",)

    def __init__(self, signals: Iterable[int], *, block: bool = True) -> None:
        self._before: set[pysignal.Signals | int] | None = None
        chosen = set(signals)
        super().__init__(signalfd(-1, pointer(_mask(chosen)), _FLAGS))
        if block:
            before = pysignal.pthread_sigmask(pysignal.SIG_BLOCK, chosen)
            self._before = {number for number in chosen if number not in before}

    def update(self, signals: Iterable[int]) -> None:
        """Read these signals from now on. Blocks none and unblocks none."""
        signalfd(self.fileno(), pointer(_mask(signals)), 0)

    def read(self, timeout: float | None = None, limit: int = 16) -> list[signalfd_siginfo]:
        """The signals that have come, at most `limit`: waits for the first, up to `timeout` seconds.

        Raises WaitTimeoutError, ClosedDescriptorError.
        """
        found = array(signalfd_siginfo, max(limit, 1))
        size = self._attempt(lambda fd: read(fd, found, max(limit, 1) * 128), timeout)
        return list(found[: size // 128])

    def close(self) -> None:
        """Close the descriptor, and unblock what was blocked for it in this thread; the second time does nothing."""
        super().close()
        before, self._before = self._before, None
        if before:
            pysignal.pthread_sigmask(pysignal.SIG_UNBLOCK, before)


def _mask(signals: Iterable[int]) -> sigset_t:
    """A set of signals. Raises ForeignOSError (EINVAL) for a number that is none."""
    mask = sigset_t(array(c.ulong, 16))
    for number in signals:
        sigaddset(pointer(mask), number)
    return mask
