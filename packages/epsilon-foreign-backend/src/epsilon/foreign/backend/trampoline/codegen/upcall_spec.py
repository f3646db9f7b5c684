"""What makes one upcall stub differ from another, and what all of them must know of their surroundings."""

from __future__ import annotations

from typing import NamedTuple

from ...binding import Marshal
from ...signature import Signature


class Likeness(NamedTuple):
    """What a new `Memory` object takes over from its template: words at these offsets, so many of them None.

    `others` are the rest of its words, which are 0, but for the address and the bounds.
    """

    words: tuple[int, ...]
    nones: int
    others: tuple[int, ...]


class UpcallSpec(NamedTuple):
    """Two callbacks with equal specs share a stub.

    `makes` has a `Likeness` for parameters that become `Memory` objects; `converts` says that every result goes
    through `UpcallTarget.convert`.
    """

    signature: Signature
    marshals: tuple[Marshal, ...]
    makes: tuple[Likeness | None, ...]
    converts: bool


class UpcallOffsets(NamedTuple):
    """Offsets in bytes, from the start of a callback's record, of what upcall stubs use."""

    function: int
    """A reference to the callable."""
    shared: int
    """A word: the address of the words that callbacks of one kind share, see `SHARED_ERROR` and `SHARED_ROWS`."""
    active: int
    """A word: calls in flight."""


#: Shared words: the raw bits that C gets when the function fails, for either kind of register; then one row for every
#: parameter: where it becomes a `Memory` object, the type, the size of what is pointed to or where in the object the
#: data lie, and the template; and an object from an earlier call that may be used again. An aggregate that C gets when
#: the function fails is behind the rows.
SHARED_ERROR = 0
SHARED_ROWS = 8
ROW_TYPE, ROW_EXTRA, ROW_TEMPLATE, ROW_SPARE = 0, 8, 16, 24
ROW_SIZE = 32


class MemoryOffsets(NamedTuple):
    """Offsets of the words of a `Memory` object that a stub fills in."""

    address: int
    lower: int
    upper: int


class UpcallTarget(NamedTuple):
    """What upcall stubs need to know beyond `Target`; addresses."""

    record: UpcallOffsets
    memory: MemoryOffsets
    convert: int
    """A Python function ``(result, record) -> canonical result``."""
    handle: int
    """A Python function ``(exception, record)`` that reports what no foreign call is there to raise."""
    dead: int
    """The type of exceptions that are always reported."""
    finalizing: int
    """The word that names the thread that shuts the interpreter down, 0 before."""
