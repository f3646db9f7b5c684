"""The two object layouts that C data in Python stands on, fixed here so that machine code can work on them.

`Memory` is the base of every data object: a struct, a union, an array, a pointer. After the object's head
come the words of `MEMORY`: where the data are, how far they may be accessed, and the address of an 8-byte
*cell* that says whether they still exist. `Owner` is the base of whatever frees memory: it holds such a cell,
and the bounds of a block that it hands out from. A cell is `LIVE`, `DEAD` or `CONFINED` (live, but for one
thread only); code that is in a hurry goes on for `LIVE` and leaves everything else to Python.

Words hold addresses, never references; subclasses add references with ``__slots__``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .exporting import Exported, buffer_slots, make_exporter
from .heaptype import heap_type, with_storage, word_offsets

DEAD, LIVE, CONFINED = 0, 1, 2

#: Bits of `Memory._flags`: nothing may be written through the object; its address may be misaligned for its
#: type.
READONLY, UNALIGNED = 1, 2


class MemoryLayout(NamedTuple):
    """Offsets in bytes of the 64-bit words of a `Memory` from the object's address."""

    address: int
    """Where the data are; for a pointer, the address it holds."""
    lower: int
    """First byte that may be accessed; `lower` and `upper` of 0: unknown, so nothing may be."""
    upper: int
    """First byte beyond."""
    live: int
    """Address of the cell."""
    flags: int
    """`READONLY`, `UNALIGNED`."""


class OwnerLayout(NamedTuple):
    """Offsets in bytes of the 64-bit words of an `Owner` from the object's address."""

    cell: int
    """The cell itself: ``id(owner) + cell`` is what `Memory._live` holds."""
    cursor: int
    """First free byte of the current block."""
    end: int
    """First byte beyond the current block; 0 when every allocation must go through Python."""
    exports: int
    """Buffers that are exported from this memory now."""


_MEMORY_WORDS = tuple(f"_{name}" for name in MemoryLayout._fields)
_OWNER_WORDS = tuple(f"_{name}" for name in OwnerLayout._fields)

if TYPE_CHECKING:

    class Memory:
        """What `heap_type` makes below, for type checkers."""

        _address: int
        _lower: int
        _upper: int
        _live: int
        _flags: int

        def _export(self, flags: int) -> Exported: ...
        def _unexport(self) -> None: ...

    class Owner:
        """What `heap_type` makes below, for type checkers."""

        _cell: int
        _cursor: int
        _end: int
        _exports: int

else:
    Memory = heap_type(
        f"{__name__}.Memory",
        words=_MEMORY_WORDS,
        slots=buffer_slots(),
        doc="Data in foreign memory: an address, bounds, and a cell that says whether it exists.",
    )
    make_exporter(Memory)
    Owner = heap_type(
        f"{__name__}.Owner",
        words=_OWNER_WORDS,
        doc="Whatever frees memory: a cell that its data objects look at, and a block to hand out from.",
    )

MEMORY = MemoryLayout(*word_offsets(object, _MEMORY_WORDS))
OWNER = OwnerLayout(*word_offsets(object, _OWNER_WORDS))

__all__ = [
    "CONFINED",
    "DEAD",
    "LIVE",
    "MEMORY",
    "OWNER",
    "READONLY",
    "UNALIGNED",
    "Exported",
    "Memory",
    "MemoryLayout",
    "Owner",
    "OwnerLayout",
    "with_storage",
]
