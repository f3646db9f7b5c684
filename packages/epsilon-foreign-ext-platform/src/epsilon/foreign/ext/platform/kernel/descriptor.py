"""File descriptors as objects: closed once, by ``with`` or with the object, and read without losing signals."""

from __future__ import annotations

import math
import os
import select
import time
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from epsilon.foreign.api import ArgumentValueError, LifetimeError, c
from epsilon.foreign.backend import ProcessLock

from ..clib import libc, nonnegative, retried
from ..errors import PlatformError

T = TypeVar("T")

#: The longest that poll(2) and its kin are asked to wait at a time: an int of milliseconds.
LONGEST = (2**31 - 1) / 1000


_once = ProcessLock()


class ClosedDescriptorError(LifetimeError, ValueError):
    """A descriptor was used after it was closed."""


class WaitTimeoutError(PlatformError, TimeoutError):
    """What was waited for did not happen in time."""


class Descriptor:
    """An open descriptor of the kernel. It is not inherited by programs that this one starts.

    ``fileno()`` makes it usable with `selectors`, `select` and asyncio's ``add_reader``. Closing while another thread
    waits on it does not end that wait.
    """

    __slots__ = ("__weakref__", "_fd")

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """The number. Raises ClosedDescriptorError (a ValueError)."""
        if self._fd < 0:
            raise ClosedDescriptorError(f"the {type(self).__name__} is closed")
        return self._fd

    @property
    def closed(self) -> bool:
        """Has it been closed, or given away?"""
        return self._fd < 0

    def close(self) -> None:
        """Close the descriptor; the second time does nothing."""
        fd = self._take()
        if fd >= 0:
            os.close(fd)

    def detach(self) -> int:
        """Give the number away: whoever gets it closes it."""
        self.fileno()
        fd = self._take()
        return fd if fd >= 0 else self.fileno()  # which says that another thread was faster

    def _take(self, _lock: Any = _once) -> int:
        """The number, once: closed twice, it could be somebody else's the second time."""
        with _lock:
            fd, self._fd = self._fd, -1
        return fd

    def __enter__(self) -> Self:
        self.fileno()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if getattr(self, "_fd", -1) >= 0:
            _warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.close()

    def __repr__(self) -> str:
        state = "closed" if self._fd < 0 else f"fd {self._fd}"
        return f"<{type(self).__name__} {state}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__}: a descriptor means nothing in another process")

    def _attempt(self, call: Callable[[int], T], timeout: float | None, events: int = select.POLLIN) -> T:
        """What `call` of the number returns, tried whenever the descriptor is ready, which does not block itself.

        `timeout` in seconds: None waits for ever, 0 not at all. Raises WaitTimeoutError.
        """
        deadline = deadline_of(timeout)
        while True:
            fd = self.fileno()
            try:
                return retried(call, fd)
            except BlockingIOError:
                left = LONGEST if deadline is None else min(deadline - time.monotonic(), LONGEST)
                if left <= 0:
                    raise WaitTimeoutError(f"nothing came of {self!r} in {timeout} seconds") from None
            # Python's poll goes on after signals, as this must (https://peps.python.org/pep-0475/).
            poll = select.poll()
            poll.register(fd, events)
            poll.poll(math.ceil(left * 1000))


def deadline_of(timeout: float | None) -> float | None:
    """When a wait of `timeout` seconds ends, by `time.monotonic`; None for a wait without end.

    Raises ArgumentValueError for a negative time or none at all (NaN).
    """
    if timeout is None:
        return None
    if not timeout >= 0:
        raise ArgumentValueError(f"a timeout is a number of seconds from 0 on, or None, not {timeout!r}")
    return None if math.isinf(timeout) else time.monotonic() + timeout


@libc.function(check=nonnegative({}))
def read(fd: c.int, buffer: c.pointer, size: c.size_t) -> c.ssize_t: ...


@libc.function(check=nonnegative({}))
def write(fd: c.int, buffer: c.pointer, size: c.size_t) -> c.ssize_t: ...
