"""Backends whose functions run in another process: what the layers above need to know of the memory there.

An address from such a function means something in its process. Only what both processes share lies at the same
address in this one. `remotes` is empty as long as there is no such backend, and looking at it is all that code for
everybody has to do.
"""

from __future__ import annotations

import ctypes
from typing import Protocol

from .errors import ForeignError
from .registry import select_backend


class RemoteMemory(Protocol):
    """The memory of a backend's process, which its attribute ``remote`` gives."""

    @property
    def origin(self) -> object:
        """What owns memory of the process that there is now, for the `_owner` of pointers: it has a ``remote``, and
        passing such a pointer to a function raises LifetimeError once that process has ended."""
        ...

    def alloc(self, size: int, alignment: int = ...) -> int:
        """`size` bytes of zeroed memory that both processes have at this address. Raises MemoryError."""
        ...

    def free(self, address: int) -> None:
        """Free what `alloc` returned."""
        ...

    def shares(self, address: int, size: int = 1) -> bool:
        """Is the memory at `address` the same in both processes?"""
        ...

    def read(self, address: int, size: int) -> bytes:
        """A copy of `size` bytes of the other process. Raises `RemoteMemoryError` for what is not mapped there."""
        ...

    def read_string(self, address: int) -> bytes:
        """The bytes at `address` in the other process, up to a NUL. Raises as `read`."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """Copy bytes into the other process. Raises as `read`."""
        ...


class RemoteMemoryError(ForeignError, ValueError):
    """Memory of another process was to be used as if it were of this one, or is not there."""


#: An item for every remote memory that exists in this process.
remotes: list[RemoteMemory] = []


def remote_memory() -> RemoteMemory | None:
    """The memory that raw addresses are of at the moment, if not this process's: that of the backend in use."""
    if not remotes:
        return None
    remote: RemoteMemory | None = getattr(select_backend(), "remote", None)
    return remote


def string_at(address: int, place: int = 0) -> bytes:
    """The bytes at a raw address up to a NUL, in the memory of the backend in use; or of the one whose shared memory
    the address was read from, at `place`."""
    remote = next((each for each in remotes if place and each.shares(place)), None) or remote_memory()
    return ctypes.string_at(address) if remote is None else remote.read_string(address)


def check_reach(address: int, size: int, origin: object = None) -> None:
    """Raise `RemoteMemoryError` when `size` bytes at a raw address are another process's alone: that of the backend in
    use, or of `origin` when it has a ``remote``."""
    remote: RemoteMemory | None = getattr(origin, "remote", None) or remote_memory()
    if remote is not None and not remote.shares(address, size):
        raise RemoteMemoryError(
            f"{address:#x} is an address in the process of {remote!r}, which this process does not share: "
            "copy what is there by the backend's read(address, size), or allocate in an arena"
        )
