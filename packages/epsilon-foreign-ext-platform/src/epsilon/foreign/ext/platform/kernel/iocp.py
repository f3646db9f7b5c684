"""Windows' completion ports: https://learn.microsoft.com/en-us/windows/win32/fileio/i-o-completion-ports

Declared from that page and the SDK's ``ioapiset.h`` and ``minwinbase.h``, with Windows' own sizes (its ``long`` is 32
bits wide); layouts are tested, the calls have never been made: elsewhere, using a port raises UnsupportedPlatformError.
"""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from epsilon.foreign.api import ArgumentValueError, Library, Out, Pointer, array, c, struct

from ..errors import PlatformError, UnsupportedPlatformError
from .descriptor import ClosedDescriptorError, deadline_of

#: A HANDLE that is none; a wait without end; the error of a wait whose time is over (winerror.h).
INVALID_HANDLE = 2**64 - 1
INFINITE = 0xFFFF_FFFF
WAIT_TIMEOUT = 258


@struct
class OVERLAPPED:
    """``OVERLAPPED``: an operation that goes on while its caller does something else."""

    Internal: c.uint64
    InternalHigh: c.uint64
    Offset: c.uint32
    OffsetHigh: c.uint32
    hEvent: c.pointer


@struct
class OVERLAPPED_ENTRY:
    """``OVERLAPPED_ENTRY``: an operation that is complete."""

    lpCompletionKey: c.uint64
    lpOverlapped: c.pointer
    Internal: c.uint64
    dwNumberOfBytesTransferred: c.uint32


#: Functions of kernel32: result and parameters. BOOL is an int, DWORD a uint32, HANDLE a pointer.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "CreateIoCompletionPort": (c.uint64, [c.uint64, c.uint64, c.uint64, c.uint32]),
    "GetQueuedCompletionStatusEx": (
        c.int32,
        [c.uint64, Pointer[OVERLAPPED_ENTRY], c.uint32, Out[c.uint32], c.uint32, c.int32],
    ),
    "PostQueuedCompletionStatus": (c.int32, [c.uint64, c.uint32, c.uint64, c.uint64]),
    "CloseHandle": (c.int32, [c.uint64]),
    "GetLastError": (c.uint32, []),
}


class CompletionPortError(PlatformError, OSError):
    """A call of a completion port failed; `winerror` on Windows is the system's code."""


@functools.cache
def _function(name: str) -> Callable[..., Any]:
    if sys.platform != "win32":
        raise UnsupportedPlatformError(
            f"completion ports are Windows'; this is {sys.platform}, which may have Epoll"
        )
    result, parameters = FUNCTIONS[name]
    # Errors are of the thread, so nothing may run between a call and the question for its error.
    return Library("kernel32").bind(
        name, result, parameters, release_gil=name == "GetQueuedCompletionStatusEx"
    )


class Completion(NamedTuple):
    """One operation that is complete: the key of its file, bytes moved, and the address of its OVERLAPPED."""

    key: int
    size: int
    overlapped: int


class CompletionPort:
    """A queue of completed operations. Windows Vista and later."""

    def __init__(self, threads: int = 0) -> None:
        """`threads`: how many may run at once that wait here; 0 for one a processor."""
        self._handle = 0
        self._handle = _function("CreateIoCompletionPort")(INVALID_HANDLE, 0, 0, threads)
        if not self._handle:
            raise _error("CreateIoCompletionPort")

    def associate(self, handle: int, key: int) -> None:
        """Let the operations of a file end up here, with a number that names it. Raises CompletionPortError."""
        if not _function("CreateIoCompletionPort")(handle, self._open(), key, 0):
            raise _error("CreateIoCompletionPort")

    def post(self, key: int, size: int = 0, overlapped: int = 0) -> None:
        """Put an entry into the queue. Raises CompletionPortError."""
        if not _function("PostQueuedCompletionStatus")(self._open(), size, key, overlapped):
            raise _error("PostQueuedCompletionStatus")

    def wait(self, timeout: float | None = None, limit: int = 64) -> list[Completion]:
        """What is complete, at most `limit`: waits for the first, up to `timeout` seconds (None: for ever)."""
        if limit < 1:
            raise ArgumentValueError(f"limit={limit}: at least one has to be waited for")
        deadline = deadline_of(timeout)
        milliseconds = INFINITE
        if deadline is not None:
            milliseconds = min(math.ceil(max(0.0, deadline - time.monotonic()) * 1000), INFINITE - 1)
        entries = array(OVERLAPPED_ENTRY, limit)
        done, count = _function("GetQueuedCompletionStatusEx")(self._open(), entries, limit, milliseconds, 0)
        if not done:
            error = _error("GetQueuedCompletionStatusEx")
            if error.errno == WAIT_TIMEOUT:
                return []
            raise error
        return [
            Completion(entry.lpCompletionKey, entry.dwNumberOfBytesTransferred, entry.lpOverlapped or 0)
            for entry in entries[:count]
        ]

    def close(self) -> None:
        """Close the port; the second time does nothing."""
        handle, self._handle = self._handle, 0
        if handle:
            _function("CloseHandle")(handle)

    def _open(self) -> int:
        if not self._handle:
            raise ClosedDescriptorError("the CompletionPort is closed")
        return self._handle

    def __enter__(self) -> CompletionPort:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CompletionPort {f'handle {self._handle:#x}' if self._handle else 'closed'}>"


def _error(function: str) -> CompletionPortError:
    code = _function("GetLastError")()
    return CompletionPortError(code, f"{function}(): error {code}")
