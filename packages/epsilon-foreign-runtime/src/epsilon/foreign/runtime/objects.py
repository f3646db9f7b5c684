"""The base of every data object in Python, and of whatever owns memory: who may use it, and for how long.

A data object holds an address, the bounds that it may be accessed within, and the address of a cell that says
whether the memory still exists (`epsilon.foreign.backend.MemoryLayout`). `_owner` keeps that memory alive; it
is None for an object that is its own memory, and for a raw address, which nobody keeps.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any, ClassVar

from epsilon.foreign.backend import (
    CONFINED,
    DEAD,
    LIVE,
    OWNER,
    POINTER,
    UNALIGNED,
    Address,
    Exported,
    LifetimeError,
    Memory,
    Owner,
    ProcessLock,
    type_name,
    window,
)

_BASE = window.BASE
_CELLS = window.VIEWS["Q"]
_lock = ProcessLock()
_WORD = POINTER.size
#: Held while the class of a type's pointers or arrays is made, so that there is one of each.
making = ProcessLock()

#: What stored pointers keep alive: address of the slot -> the address stored there, holding its target.
Kept = dict[int, Address]


class MemoryOwner(Owner):
    """Memory that ends: everything in it becomes unusable when its cell does.

    `_ended` says for messages what ended it, `_thread` which thread it is confined to.
    """

    __slots__ = ("__weakref__", "_ended", "_keep", "_thread")

    _ended: str
    _keep: Kept | None
    _thread: int
    # An attribute, because module globals may be gone when the last objects die.
    _dead: ClassVar[int] = DEAD

    def __init__(self, ended: str, *, confined: bool = False) -> None:
        self._ended = ended
        self._keep = None
        self._thread = threading.get_ident() if confined else 0
        self._cell = CONFINED if confined else LIVE

    @property
    def _live(self) -> int:
        """The address of the cell, which lies in this object."""
        return id(self) + OWNER.cell

    def _finish(self) -> None:
        """Make the memory unusable. Raises BufferError while a buffer of it is exported."""
        with _lock:
            if self._exports:
                raise BufferError(
                    f"the memory cannot be freed: {self._exports} buffers of it (memoryview, numpy) exist"
                )
            self._cell = DEAD
        self._keep = None

    def _dispose(self) -> None:
        """How the memory is given back."""

    def _abandon(self) -> None:
        """Give back the memory of an object that has died."""
        self._dispose()

    def __del__(self) -> None:
        if self._cell != self._dead:
            self._cell = self._dead
            # An export keeps its owner alive, but not when the two are garbage of one cycle: then the memory
            # is given back when that ends (`Data._unexport`).
            if not self._exports:
                self._abandon()


_always = MemoryOwner("")
_never = MemoryOwner("the block it was made for has ended")
_never._cell = DEAD
for _forever in (_always, _never):  # their cells are looked at until the last data object is gone
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(_forever))
#: The cell of memory that lives as long as whoever refers to it, and the cell of memory that is gone.
ALWAYS = _always._live
NEVER = _never._live
#: A bit of `_flags` beside those of the backend: nobody has stated the bounds; that C passes a pointer promises one
#: element, and there may be more.
PRESUMED = 4


class Data(Memory):
    """A struct, a union, an array or a pointer."""

    __slots__ = ("__weakref__", "_keep", "_owner")

    _owner: Any
    _keep: Kept | None

    def __foreign_address__(self) -> int:
        """The address, for a call. Raises LifetimeError."""
        check_live(self)
        return self._address

    def _export(self, flags: int) -> Exported:
        check_live(self)
        exported = self._exported()
        owner = self._owner
        if isinstance(owner, MemoryOwner):
            with _lock:
                check_live(self)
                owner._exports += 1
        return exported

    def _unexport(self) -> None:
        if _lock is None:  # the interpreter is shutting down, and nobody will free the memory
            return
        # The collector may have cleared this object before the view that is garbage of the same cycle.
        owner = getattr(self, "_owner", None)
        if isinstance(owner, MemoryOwner):
            with _lock:
                owner._exports -= 1
                last = not owner._exports and owner._cell == DEAD
            if last:
                owner._abandon()

    def _exported(self) -> Exported:
        """What the buffer protocol shows."""
        raise NotImplementedError

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle {type_name(self)}: an address means nothing in another process")


def check_live(data: Data) -> None:
    """Raise LifetimeError unless the memory of `data` may be used by this thread now."""
    cell = data._live
    state = _CELLS[(cell - _BASE) >> 3] if cell else DEAD
    if state == LIVE:
        return
    owner: Any = getattr(data, "_owner", None)
    shown = type(data).__name__
    if state == CONFINED:
        if owner._thread != threading.get_ident():
            raise LifetimeError(f"{shown}: its memory is confined to another thread than this one")
        return
    if not cell:
        raise LifetimeError(f"{shown}: never initialised")
    ended = owner._ended if isinstance(owner, MemoryOwner) else _never._ended
    raise LifetimeError(f"{shown} at {data._address:#x} was used, but {ended}")


def place(cls: Any, address: int, upper: int, live: int, owner: Any, flags: int = 0) -> Any:
    """A data object of class `cls` over existing memory, [address, upper)."""
    made = object.__new__(cls)
    made._address = made._lower = address
    made._upper = upper
    made._live = live
    made._flags = flags
    made._owner = owner
    made._keep = None
    return made


def view(cls: Any, address: int, size: int, alignment: int, holder: Data) -> Any:
    """A data object of class `cls` over a part of `holder`'s memory, which it keeps alive."""
    flags = holder._flags
    if address & (alignment - 1):
        flags |= UNALIGNED  # inside a packed struct
    owner = holder._owner
    return place(cls, address, address + size, holder._live, holder if owner is None else owner, flags)


def root(holder: Any) -> Any:
    """Where `_keep` lives: with the owner of the memory."""
    owner = holder._owner
    return holder if owner is None or not hasattr(owner, "_keep") else owner


def keep(holder: Any, slot: int, target: Address | None) -> None:
    """Keep alive what the pointer at address `slot` of `holder`'s memory points to, as long as that memory
    lives."""
    keeper = root(holder)
    kept = keeper._keep
    if target is not None:
        with _lock:
            if keeper._keep is None:
                keeper._keep = {}
            keeper._keep[slot] = target
    elif kept:
        kept.pop(slot, None)


def kept_at(holder: Any, slot: int, address: int) -> Any:
    """What `keep` was given for the pointer at `slot`, or None when C, or a union, has stored something else
    since."""
    kept = root(holder)._keep
    target = kept.get(slot) if kept else None
    return target.keep if target is not None and _reaches(target, address) else None


def _reaches(target: Address, address: int) -> bool:
    return target == address or (
        isinstance(target.keep, Memory) and target.keep._lower <= address <= target.keep._upper
    )


def stored_pointers(data: Memory) -> list[tuple[int, Address]]:
    """The pointers in the memory of a data object whose targets it keeps alive: the slot's address, and the target.

    For backends that must take the targets along. Pointers that C stored there are not among them.
    """
    kept = getattr(root(data), "_keep", None) if isinstance(data, Data) else None
    if not kept:
        return []
    lower, upper = data._lower, data._upper
    with _lock:
        found = [(slot, target) for slot, target in kept.items() if lower <= slot < upper]
    return [(slot, target) for slot, target in found if _reaches(target, _word(slot))]


def _word(slot: int) -> int:
    return int.from_bytes(window.read_bytes(slot, _WORD), sys.byteorder)


def move_kept(target: Any, to: int, source: Any, start: int, size: int) -> None:
    """After `size` bytes were copied from `start` to `to`: pointers among them keep their targets there
    too."""
    there, here = root(source)._keep, root(target)._keep
    moved = {}
    if there:
        moved = {slot - start + to: kept for slot, kept in there.items() if start <= slot < start + size}
    if here:
        for slot in [slot for slot in here if to <= slot < to + size]:
            here.pop(slot, None)
    for slot, kept in moved.items():
        keep(target, slot, kept)
