"""Memory that only the parent has, for a call in the child: copied into shared memory, and back afterwards.

What lies in the shared memory is passed as it is. A struct inside its Python object, an array from before the backend
was in use, a buffer of numpy: these are copied by their bounds, and so is what pointers stored in them keep alive, to
any depth. After the call, what may be written is copied back, and pointers into copies become pointers into the
originals again, so that a list that C has relinked is relinked.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from epsilon.foreign.backend import READONLY, Address, Borrowed, Memory, window
from epsilon.foreign.runtime import stored_pointers

from .heap import Heap
from .region import Region

_WORDS = window.VIEWS["Q"]


#: Copies of up to so many bytes are looked through for pointers that C has stored there.
_LOOKED_THROUGH = 4096


class _Copy(NamedTuple):
    """`size` bytes at `address` in the parent, and their copy."""

    address: int
    size: int
    copy: int
    readonly: bool


class _Slot(NamedTuple):
    """A pointer in shared memory whose target is a copy: what it was, and what it is during the call."""

    place: int
    before: int
    during: int


class Loans:
    """What one call has copied. `address` makes an address for the child; `settle` brings everything back."""

    def __init__(self, region: Region, heap: Heap) -> None:
        self._region = region
        self._heap = heap
        self._copies: dict[tuple[int, int], _Copy] = {}
        self._slots: list[_Slot] = []
        self._visited: set[int] = set()

    def address(self, lent: Address) -> int:
        """The address in the child of what an argument lends."""
        return self._lend(int(lent), lent.keep)

    def content(self, data: bytes, value: Memory) -> bytes:
        """The bytes of an aggregate passed by value, with the pointers in it as the child must have them."""
        pointers = stored_pointers(value)
        if not pointers:
            return data
        changed = bytearray(data)
        for slot, target in pointers:
            offset = slot - value._address
            if 0 <= offset <= len(data) - 8:
                changed[offset : offset + 8] = self._lend(int(target), target.keep).to_bytes(8, "little")
        return bytes(changed)

    def _lend(self, address: int, keep: Any) -> int:
        if not address:
            return 0
        if isinstance(keep, Memory):
            return self._lend_memory(address, keep)
        if isinstance(keep, Borrowed):
            return self._copied(keep.address, keep.nbytes, keep.readonly) + address - keep.address
        return address

    def _lend_memory(self, address: int, data: Memory) -> int:
        lower, upper = data._lower, data._upper
        if not upper or not lower <= address <= upper:
            return address  # nothing is known of what is there: an address of the child's
        if self._region.holds(lower, upper - lower):
            self._lend_targets(data, lower, lower)
            return address
        known = (lower, upper - lower) in self._copies
        copy = self._copied(lower, upper - lower, bool(data._flags & READONLY))
        if not known:
            self._lend_targets(data, lower, copy)
        return copy + address - lower

    def _lend_targets(self, data: Memory, lower: int, copy: int) -> None:
        """Lend what the pointers stored in some memory point to, and let its copy point there."""
        for slot, target in stored_pointers(data):
            place = copy + slot - lower
            if place in self._visited:
                continue
            self._visited.add(place)
            before = int(target)
            during = self._lend(before, target.keep)
            if during != before:
                _WORDS[(place - window.BASE) >> 3] = during
                self._slots.append(_Slot(place, before, during))

    def _copied(self, address: int, size: int, readonly: bool) -> int:
        if self._region.holds(address, size):
            return address
        known = self._copies.get((address, size))
        if known is None:
            # A byte more, which is 0: a text may be what is lent.
            copy = self._heap.alloc(size + 1, 64)
            window.move_bytes(copy, address, size)
            known = self._copies[address, size] = _Copy(address, size, copy, readonly)
        return known.copy

    def returned(self, address: int | None) -> int | None:
        """A pointer from the child: an `Address` in the original where it points into a copy."""
        return address if address is None else self._original(address)

    def _original(self, address: int) -> int:
        for each in self._copies.values():
            if each.copy <= address <= each.copy + each.size:
                return Address(each.address + address - each.copy)
        return address

    def settle(self, *, back: bool) -> None:
        """Give the copies up; `back`: first bring home what the child has written."""
        try:
            if back:
                self._bring_back()
        finally:
            for each in self._copies.values():
                self._heap.free(each.copy)
            self._copies.clear()

    def _bring_back(self) -> None:
        for slot in self._slots:
            index = (slot.place - window.BASE) >> 3
            now = _WORDS[index]
            _WORDS[index] = slot.before if now == slot.during else self._original(now)
        for each in self._copies.values():
            if not each.readonly:
                if each.size <= _LOOKED_THROUGH:
                    self._bring_pointers_back(each)
                window.move_bytes(each.address, each.copy, each.size)

    def _bring_pointers_back(self, copy: _Copy) -> None:
        """Pointers into copies that C has stored become pointers into the originals."""
        first = (copy.copy - window.BASE) >> 3
        for index in range(first, first + copy.size // 8):
            word = _WORDS[index]
            if self._region.holds(word):
                _WORDS[index] = self._original(word)


def lent(value: Any, canonical: Any) -> Any:
    """A canonical pointer argument that still knows what it was made of."""
    if isinstance(canonical, Address) and canonical.keep is not None:
        return canonical
    if isinstance(value, Memory):
        return Address(canonical, value)
    return canonical


class LentBytes(bytes):
    """The canonical bytes of an aggregate by value, which still know the object that they are of."""

    keep: Memory

    def __new__(cls, content: bytes, keep: Memory) -> LentBytes:
        self = super().__new__(cls, content)
        self.keep = keep
        return self
