"""The memory of the child: what it shares with the parent, and what only it has."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from epsilon.foreign.backend import (
    FUNDAMENTAL,
    LifetimeError,
    ProcessLock,
    RemoteMemory,
    RemoteMemoryError,
    free,
)
from epsilon.foreign.runtime import Pointer, from_buffer

from .libraries import Libraries
from .machine import INT, LONG, WORD, c_function
from .region import PAGE
from .session import Session


class Lazy:
    """A session that is made when it is first needed: a backend that is merely there costs nothing."""

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._lock = ProcessLock()
        self.session: Session | None = None
        self.closed = False

    def get(self) -> Session:
        """The session. Raises BackendUnavailableError, LifetimeError."""
        if self.session is not None:
            return self.session
        with self._lock:
            if self.closed:
                raise LifetimeError("the isolated backend is closed")
            if self.session is None:
                self.session = self._make()
            return self.session


class Origin:
    """Where a pointer is from that points to memory which only a child has: the backend, and which of its children."""

    __slots__ = ("_session", "epoch", "remote")

    def __init__(self, backend: Any, session: Session) -> None:
        self.remote: RemoteMemory = backend
        self._session = session
        self.epoch = session.epoch

    def check(self) -> None:
        """Raise LifetimeError when that child has ended."""
        if self.epoch != self._session.epoch or self._session.life is None:
            raise LifetimeError("it points to memory of an isolated process that has ended")


#: Where the result is from that is made into an object at the moment.
answering: ContextVar[Origin | None] = ContextVar("epsilon_foreign_isolated_answer", default=None)


class ChildMemory:
    """The `RemoteMemory` of a backend whose session is `_lazy`."""

    _lazy: Lazy
    _libraries: Libraries

    @property
    def origin(self) -> Origin:
        """What owns the memory of the child that there is now, or that gave the result which is being looked at."""
        return answering.get() or Origin(self, self._lazy.get())

    def alloc(self, size: int, alignment: int = FUNDAMENTAL) -> int:
        """Zeroed memory that this process and the child have at the same address. Raises MemoryError, ValueError,
        LifetimeError."""
        if self._lazy.closed:
            raise LifetimeError("the isolated backend is closed")
        return self._lazy.get().heap.alloc(size, alignment)

    def free(self, address: int, *, _free: Callable[[int], None] = free) -> None:
        """Free what `alloc` of any backend returned."""
        session = self._lazy.session
        if session is None or not session.heap.free(address):
            _free(address)

    def shares(self, address: int, size: int = 1) -> bool:
        """Is this memory the same in both processes?"""
        session = self._lazy.session
        return session is not None and session.region.holds(address, size)

    def read(self, address: int, size: int) -> bytes:
        """A copy of `size` bytes of the child's memory. Raises RemoteMemoryError for what is not mapped there."""
        buffer = ctypes.create_string_buffer(size)
        if size and self._transfer("process_vm_readv", ctypes.addressof(buffer), address, size) != size:
            raise RemoteMemoryError(f"{size} bytes at {address:#x} cannot be read in the isolated process")
        return buffer.raw

    def read_string(self, address: int) -> bytes:
        """The bytes at an address in the child up to a NUL. Raises RemoteMemoryError."""
        found = b""
        while True:
            piece = self.read(address, PAGE - address % PAGE)
            head, end, _ = piece.partition(b"\0")
            found += head
            if end:
                return found
            address += len(piece)

    def fetch(self, pointer: Any, count: int = 1) -> Any:
        """A copy of `count` elements that a pointer from the child points to, as an array of this process.

        Raises RemoteMemoryError, and what `read` raises; TypeError for what is no pointer.
        """
        if not isinstance(pointer, Pointer):
            raise TypeError(f"expected a pointer, got {type(pointer).__name__}")
        size = pointer.target_size() * count
        return from_buffer(pointer.target(), bytearray(self.read(pointer.address, size)))

    def write(self, address: int, data: bytes) -> None:
        """Copy bytes into the child's memory. Raises RemoteMemoryError for what cannot be written there."""
        size = len(data)
        buffer = (ctypes.c_char * size).from_buffer_copy(data)
        if size and self._transfer("process_vm_writev", ctypes.addressof(buffer), address, size) != size:
            raise RemoteMemoryError(f"{size} bytes at {address:#x} cannot be written in the isolated process")

    def _transfer(self, call: str, here: int, there: int, size: int) -> int:
        """process_vm_readv(2) or process_vm_writev(2): how many bytes went, or -1."""
        life = self._lazy.session and self._lazy.session.life
        if not life:
            raise RemoteMemoryError("there is no isolated process to read from or write to")
        local = (ctypes.c_size_t * 2)(here, size)
        remote = (ctypes.c_size_t * 2)(self._libraries.current(life, there), size)
        copy = c_function(call, LONG, INT, WORD, LONG, WORD, LONG, LONG)
        return int(copy(life.process, ctypes.addressof(local), 1, ctypes.addressof(remote), 1, 0))
