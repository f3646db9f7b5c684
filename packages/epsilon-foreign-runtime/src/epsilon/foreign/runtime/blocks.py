"""Single allocations: who frees them, when, and what freeing them wrongly raises."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from epsilon.foreign.backend import DEAD, LifetimeError, alloc, free, remote_memory, remotes, type_name

from . import debug
from .errors import LayoutError, OwnershipError
from .objects import Data, MemoryOwner


class Allocation(MemoryOwner):
    """One piece of memory at `address`, which `release` gives back; `manual`: its user may do so."""

    __slots__ = ("address", "manual")

    def __init__(self, ended: str, address: int, *, manual: bool) -> None:
        super().__init__(ended)
        self.address = address
        self.manual = manual

    def release(self) -> None:
        """Give the memory back now. Raises BufferError while it is exported; the second time it does
        nothing."""
        if self._cell != DEAD:
            self._finish()
            self._dispose()


class Block(Allocation):
    """Zeroed memory of `size` bytes, freed with this object or by `release`."""

    __slots__ = ("_free", "size")

    def __init__(self, size: int, alignment: int, *, manual: bool = False) -> None:
        # What frees it is an attribute: module globals may be gone when the last objects die.
        address, self._free = allocate(size, alignment)
        super().__init__("it was freed", address, manual=manual)
        self.size = size

    def _dispose(self) -> None:
        self._free(self.address)


def allocate(size: int, alignment: int) -> tuple[int, Any]:
    """Zeroed memory and the function that frees it: between guard pages when debugging; shared with the process
    that the backend in use calls functions in."""
    if size < 0:
        raise LayoutError(f"cannot allocate {size} bytes")
    if remotes and (remote := remote_memory()) is not None:
        return remote.alloc(size, alignment if alignment > 8 else 8), remote.free
    if debug.ENABLED:
        return debug.guarded_alloc(size, alignment), debug.guarded_free
    return alloc(size, alignment if alignment > 8 else 8), free


class _Buffer(ctypes.Array[ctypes.c_char]):
    """Small memory that lives as long as anything refers to it: made and freed by C code alone."""

    _type_ = ctypes.c_char
    _length_ = 0
    _keep = None


@functools.cache
def _buffers(steps: int) -> Any:
    return type(f"Buffer_{STEP * steps}", (_Buffer,), {"_length_": STEP * steps})


#: Memory of up to `SMALL` bytes comes in multiples of `STEP`.
STEP, SMALL = 16, 1024


def own_block(size: int, alignment: int) -> tuple[Any, int]:
    """The memory of an object that is its own memory, and its address: it lives as long as anything refers to
    it.
    """
    if 0 <= size <= SMALL and alignment <= 8 and not debug.ENABLED and not (remotes and remote_memory()):
        buffer = _buffers((size + STEP - 1) // STEP)()
        return buffer, ctypes.addressof(buffer)
    block = Block(size, alignment)
    return block, block.address


def release(data: Any) -> None:
    """Free what `alloc` gave. Raises OwnershipError for memory that `alloc` did not give or that begins
    elsewhere, LifetimeError when it was freed already, BufferError while a buffer of it is exported."""
    if not isinstance(data, Data):
        raise TypeError(f"expected a pointer from alloc, got {type_name(data)}")
    block = data._owner
    shown = type(data).__name__
    if not isinstance(block, Allocation) or not block.manual:
        raise OwnershipError(f"{shown} at {data._address:#x} cannot be freed: it does not own its memory")
    if block._cell == DEAD:
        raise LifetimeError(f"{shown} at {data._address:#x} was freed already")
    if data._address != block.address:
        raise OwnershipError(
            f"{shown} at {data._address:#x} cannot be freed: the allocation begins at {block.address:#x}"
        )
    block.release()
