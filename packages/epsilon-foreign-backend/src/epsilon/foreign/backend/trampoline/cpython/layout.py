"""What stubs know of the insides of Python objects: offsets in bytes from an object's address.

None of this is in the stable ABI, so nothing here is believed because of a version number: `probes.probe`
finds each part by looking at objects of known value, and a part that does not check out is None (or False). A
stub without it calls the C-API, or the Python fallback, instead.
"""

from __future__ import annotations

from typing import NamedTuple


class IntLayout(NamedTuple):
    """An exact `int`: 30-bit digits of 32 bits each, least significant first, and a word with sign and count.

    ``tagged=False`` (3.11): the word is a signed count of digits, negative for a negative number, 0 for 0.
    ``tagged=True`` (3.12 on): the two low bits are 0 for positive, 1 for zero, 2 for negative; ``word >> 3``
    is the count, 0 for zero; bit 2 is a flag to ignore. A word below `compact_below` therefore means at most
    one digit.
    """

    tagged: bool
    word_offset: int
    digits_offset: int
    digit_bits: int = 30
    digit_size: int = 4

    @property
    def compact_below(self) -> int:
        """First `word` of a tagged int with two digits."""
        return 2 << 3


class StrLayout(NamedTuple):
    """An exact `str`: when ``(u32 at state_offset) & state_mask == state_mask`` it is compact ASCII, and its
    UTF-8 is `length` bytes at `data_offset`, with a NUL behind (and perhaps inside)."""

    state_offset: int
    state_mask: int
    length_offset: int
    data_offset: int


class BytesLayout(NamedTuple):
    """An exact `bytes`: a signed 64-bit size and the bytes, with a NUL behind (and perhaps inside)."""

    size_offset: int
    data_offset: int


class TupleLayout(NamedTuple):
    """An exact `tuple`: a signed 64-bit size, and the references."""

    size_offset: int
    items_offset: int


class RefcountLayout(NamedTuple):
    """A plain 64-bit counter that may be incremented by whoever holds the GIL, immortal objects included.

    Only 3.11 has that; later versions have immortal objects, whose counter must stay, and free-threaded
    builds split it. There, use `Layout.immortal` or call `Py_IncRef`.
    """

    offset: int


class Layout(NamedTuple):
    """What the probes found in the running interpreter; None or False: do not use."""

    head_size: int
    """``sizeof(PyObject)``: 16, or 32 on free-threaded builds. Not probed: ``object.__basicsize__``."""
    type_offset: int | None = None
    """`ob_type`: 8, or 24 on free-threaded builds. Without it no exact type can be told: the rest is
    unusable."""
    float_offset: int | None = None
    """The C double in an exact `float`."""
    int_layout: IntLayout | None = None
    str_layout: StrLayout | None = None
    bytes_layout: BytesLayout | None = None
    tuple_layout: TupleLayout | None = None
    immortal: bool = False
    """None, True and False need no reference count: return them as they are."""
    refcount: RefcountLayout | None = None
    count_offset: int | None = None
    """32 bits that are 1 in an object of which there is one reference; None on free-threaded builds."""

    @property
    def switched_off(self) -> tuple[str, ...]:
        """The names of the inline paths that may not be taken."""
        paths = ("type_offset", "float_offset", "int_layout", "str_layout", "bytes_layout", "tuple_layout")
        return tuple(path for path in paths if getattr(self, path) is None)
