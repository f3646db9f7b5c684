"""Structs and unions, with the layout that clang gave them."""

from __future__ import annotations

from ..values import dataclass
from .position import Position
from .types import CType, RecordName


@dataclass(frozen=True, slots=True)
class Field:
    """One member.

    `offset` is in bytes. For a bit-field `bits` is its width, and it starts `bit` bits (0 to 7) into the byte
    at `offset`, counted from the least significant; None for every other member. `name` is empty for an
    anonymous struct or union, whose members belong to the record around it as well (C11 6.7.2.1p13), and for an
    unnamed bit-field. `aligned` is the n of an ``aligned(n)`` of its own, in bytes.
    """

    name: str
    type: CType
    offset: int
    bits: int | None = None
    bit: int = 0
    aligned: int | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A struct or union; `size` and `align` in bytes.

    `name` is its tag. One without a tag has the name of the typedef that it was made for (then `typedef` is
    true), or ``outer.member``, or ``@`` and its first member's name: `anonymous` is true for these, and C cannot
    name them. `complete` is false when only the name is known.

    `pack`, `packed`, `aligned` and the members' `aligned` are ``#pragma pack(n)`` and the attributes of the simplest
    declaration that has this layout, whatever the header's own is. `unsupported` says why there is none, and is
    empty otherwise; such a record can be pointed to only.
    """

    name: str
    union: bool = False
    size: int = 0
    align: int = 1
    fields: tuple[Field, ...] = ()
    complete: bool = True
    anonymous: bool = False
    typedef: bool = False
    pack: int | None = None
    packed: bool = False
    aligned: int | None = None
    unsupported: str = ""
    doc: str = ""
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None

    @property
    def type(self) -> RecordName:
        """The type that refers to it."""
        return RecordName(self.name, self.union)

    @property
    def c_name(self) -> str | None:
        """How C names it: ``struct point``, or its typedef's name; None when it cannot."""
        if self.anonymous:
            return None
        return self.name if self.typedef else f"{'union' if self.union else 'struct'} {self.name}"
