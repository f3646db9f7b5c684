"""Random bytes from the kernel: https://man7.org/linux/man-pages/man2/getrandom.2.html"""

from __future__ import annotations

import enum
import errno
from typing import Any

from epsilon.foreign.api import ArgumentValueError, c, from_buffer

from ..clib import Hints, libc, nonnegative, retried


class RandomFlags(enum.IntFlag):
    """``GRND_…`` (include/uapi/linux/random.h)."""

    #: Raise BlockingIOError rather than wait, at boot, until the kernel has gathered enough.
    NONBLOCK = 1
    #: The pool of /dev/random; the same since Linux 5.6.
    RANDOM = 2
    #: Do not wait, and take what may be guessed at boot. Linux 5.6.
    INSECURE = 4


_HINTS: Hints = {
    errno.EAGAIN: "the kernel has not gathered enough randomness since it started",
    errno.EINVAL: "this kernel does not know the flag, or flags contradict each other",
}


@libc.function(name="getrandom", check=nonnegative(_HINTS))
def _getrandom(buffer: c.pointer, size: c.size_t, flags: c.uint) -> c.ssize_t: ...


def getrandom(size: int, flags: RandomFlags | int = 0) -> bytes:
    """`size` random bytes, fit for keys. Linux 3.17.

    Raises ForeignOSError (BlockingIOError), ArgumentValueError for a negative size.
    """
    if size < 0:
        raise ArgumentValueError(f"cannot make {size} random bytes")
    made = bytearray(size)
    fill_random(made, flags)
    return bytes(made)


def fill_random(buffer: Any, flags: RandomFlags | int = 0) -> None:
    """Fill a writable buffer, array or bounded pointer with random bytes, which are nowhere else.

    Raises ForeignOSError (BlockingIOError), ConstError for memory that cannot be written, TypeError.
    """
    memory = from_buffer(c.uint8, buffer, writable=True)
    # The kernel may stop after 256 bytes for a signal, and gives no more than 32 MiB at a time.
    done = 0
    while done < len(memory):
        done += retried(_getrandom, memory[done:], len(memory) - done, RandomFlags(flags))
