"""What makes one stub differ from another: the key under which stubs are cached."""

from __future__ import annotations

from typing import NamedTuple

from ...binding import Guard, Marshal
from ...signature import Signature
from .upcall_spec import ROW_SIZE, Likeness


class Accepted(NamedTuple):
    """How many classes of `Memory` objects a parameter takes inline, and whether read-only ones, too."""

    types: int
    readonly: bool


class StubSpec(NamedTuple):
    """Two functions with equal specs share a stub; all else about a function is in its record.

    `guard` is None when there is no `finish` to call. A *trusted* stub is entered by the fallback with canonical
    values: it looks at no object's layout, only calls the C-API. `accepts` is empty, or has what each parameter takes;
    `makes` is what the `Memory` object looks like that the result becomes, and `reuses` says that it may be one of an
    earlier call.
    """

    signature: Signature
    marshals: tuple[Marshal, ...]
    result_marshal: Marshal = Marshal.VALUE
    guard: Guard | None = None
    release_gil: bool = True
    capture_errno: bool = False
    trusted: bool = False
    accepts: tuple[Accepted | None, ...] = ()
    makes: Likeness | None = None
    reuses: bool = False

    def accept(self, index: int) -> Accepted | None:
        """What parameter `index` takes of `Memory` objects."""
        return self.accepts[index] if self.accepts else None

    @property
    def all_slow(self) -> bool:
        """Would every call of such a stub end in the fallback?"""
        return not self.trusted and any(
            marshal is Marshal.OBJECT and self.accept(index) is None
            for index, marshal in enumerate(self.marshals)
        )


#: A function's table of words: one row for the object that the result becomes, then the accepted types in order.
TABLE_RESULT = 0
TABLE_TYPES = ROW_SIZE


def type_offset(spec: StubSpec, index: int, number: int) -> int:
    """Where the table has the address of an accepted type of parameter `index`."""
    before = sum(accept.types for accept in spec.accepts[:index] if accept is not None)
    return TABLE_TYPES + 8 * (before + number)
