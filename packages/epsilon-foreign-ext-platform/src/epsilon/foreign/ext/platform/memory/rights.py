"""Which pages of a region may be read and written, and the pointers that hold as long as they may.

A region is cut into *stretches* of equal rights. A stretch has up to two *grants*: pointers to its bytes, one that
may be written through and one that may not, whose lifetime every pointer, array and struct taken from them shares.
Taking a right away ends the grants that need it, so what was made from them raises instead of reaching pages that
would stop the process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from epsilon.foreign.api import ArgumentValueError, Const, ConstError, Owned, Pointer, c, from_foreign

from ..clib import here
from .protection import Protection
from .reservation import Reservation

_READER = Pointer[Const[c.uint8]]
_WRITER = Pointer[c.uint8]


class Grant:
    """A pointer to [start, stop) of a reservation, which it holds; `end` makes all pointers from it unusable."""

    def __init__(self, reservation: Reservation, start: int, stop: int, *, write: bool) -> None:
        row: Any = Owned[_WRITER if write else _READER, lambda _: reservation.drop()]
        reservation.hold()
        pointer: Any = from_foreign(reservation.address + start, row)
        self._pointer = here(pointer.bounded, stop - start)
        self.start, self.stop, self.write = start, stop, write
        self.ended = False

    def pointer(self, offset: int) -> Any:
        """A pointer to the byte at `offset` of the region."""
        return self._pointer + (offset - self.start)

    def end(self) -> None:
        """Make everything made from this grant raise LifetimeError. Raises BufferError while a buffer is exported."""
        if not self.ended:
            self._pointer.release()
            self.ended = True


@dataclass
class Stretch:
    """Pages [start, stop), offsets in bytes, with the same rights; `grants` are those that reach into it."""

    start: int
    stop: int
    protection: Protection
    grants: tuple[Grant, ...] = ()

    def end_what_needs(self, lost: Protection) -> None:
        """End the grants that are worth nothing without the rights `lost`."""
        for grant in self.grants:
            if lost & (Protection.READ | Protection.WRITE if grant.write else Protection.READ):
                grant.end()

    def grant(self, reservation: Reservation, *, write: bool) -> Grant:
        """A grant for the whole stretch."""
        self.grants = tuple(grant for grant in self.grants if not grant.ended)
        for grant in self.grants:
            if grant.write == write and grant.start <= self.start and self.stop <= grant.stop:
                return grant
        made = Grant(reservation, self.start, self.stop, write=write)
        self.grants += (made,)
        return made


class Rights:
    """The stretches of a region, in order, without gaps; neighbours have different rights."""

    def __init__(self, reservation: Reservation, size: int, protection: Protection) -> None:
        self._reservation = reservation
        self.stretches = [Stretch(0, size, protection)]

    def at(self, offset: int) -> Protection:
        """The rights to the byte at `offset`."""
        return next(s.protection for s in self.stretches if s.start <= offset < s.stop)

    def pointer(self, start: int, stop: int, *, write: bool | None) -> Any:
        """A pointer to bytes [start, stop); `write` None: one that may be written through if the pages may.

        Raises ArgumentValueError when the pages may not be read or have not all the same rights, ConstError when
        they may not be written.
        """
        # An empty range at the region's end has no page of its own: it belongs to the last stretch.
        found = next(s for s in self.stretches if start < s.stop or s is self.stretches[-1])
        shown = f"bytes {start} to {stop} of the region"
        if stop > found.stop:
            raise ArgumentValueError(f"{shown} have different rights: they change at {found.stop}")
        if not found.protection & Protection.READ:
            raise ArgumentValueError(f"{shown} may not be read: their rights are {found.protection.letters}")
        may_write = bool(found.protection & Protection.WRITE)
        if write and not may_write:
            raise ConstError(f"{shown} may not be written: their rights are {found.protection.letters}")
        return found.grant(self._reservation, write=may_write if write is None else write).pointer(start)

    def end(self) -> None:
        """End everything. Raises BufferError while a buffer is exported."""
        for stretch in self.stretches:
            stretch.end_what_needs(Protection.READ)

    def prepare(self, start: int, stop: int, protection: Protection) -> None:
        """Before the pages [start, stop) get other rights: end the pointers that would outlive theirs."""
        for stretch in self.stretches:
            if stretch.start < stop and start < stretch.stop:
                stretch.end_what_needs(stretch.protection & ~protection)

    def change(self, start: int, stop: int, protection: Protection) -> None:
        """The pages [start, stop) have these rights now."""
        pieces: list[Stretch] = []
        for old in self.stretches:
            low, high = max(old.start, start), min(old.stop, stop)
            if low >= high:
                pieces.append(old)
                continue
            pieces += [
                replace(old, stop=low),
                replace(old, start=low, stop=high, protection=protection),
                replace(old, start=high),
            ]
        self.stretches = _merged([piece for piece in pieces if piece.start < piece.stop])


def _merged(pieces: list[Stretch]) -> list[Stretch]:
    """Neighbours with the same rights as one."""
    merged: list[Stretch] = []
    for piece in pieces:
        if merged and merged[-1].protection == piece.protection:
            both = dict.fromkeys(merged[-1].grants + piece.grants)
            merged[-1] = replace(merged[-1], stop=piece.stop, grants=tuple(both))
        else:
            merged.append(piece)
    return merged
