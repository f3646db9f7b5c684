"""From a layout back to a declaration that gives it.

A header says ``#pragma pack``, ``packed`` and ``aligned``; a parser says offsets. The api lays out what is declared, so
a record needs `pack`, `packed`, `align` and its members' own alignments found again. Often several declarations give a
layout, and any of them serves: the one with the fewest extras is taken. The rules are those of gcc and clang for the
System V ABIs and AAPCS64 (https://gcc.gnu.org/onlinedocs/gcc/Common-Type-Attributes.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .values import dataclass

#: Alignments that a member may ask for, in bytes.
_ASKED = tuple(1 << power for power in range(13))


@dataclass(frozen=True, slots=True)
class Shape:
    """What matters of a member: `size` and `align` of its type in bytes (a flexible array has size 0), the width of a
    bit-field, and where it is: bits from the start of the record."""

    size: int
    align: int
    offset: int
    bits: int | None = None
    named: bool = True


@dataclass(frozen=True, slots=True)
class Fit:
    """The options of a declaration, as `epsilon.foreign.api.struct` takes them; `members` has each member's own
    alignment, or None."""

    pack: int | None = None
    packed: bool = False
    align: int | None = None
    members: tuple[int | None, ...] = ()

    @property
    def extras(self) -> int:
        """How much it says that a plain declaration does not."""
        return sum(each is not None for each in (self.pack, self.align, *self.members)) + self.packed


def fit(
    members: Sequence[Shape], size: int, align: int, *, union: bool = False, unnamed_bits_align: bool = False
) -> Fit | None:
    """The simplest declaration that puts `members` where they are and has `size` and `align` bytes; None if none does.

    `unnamed_bits_align`: an unnamed bit-field adds to the record's alignment, as on AArch64.
    """
    found: list[Fit] = []
    for pack, packed in _CANDIDATES:
        plan = _Plan(pack, packed, union, unnamed_bits_align)
        fitted = plan.fit(members, size, align)
        if fitted is not None and not fitted.extras:
            return fitted
        if fitted is not None:
            found.append(fitted)
    return min(found, key=lambda each: each.extras, default=None)


_CANDIDATES = ((None, False), (1, False), (2, False), (4, False), (8, False), (16, False), (None, True))


class _Plan:
    """A layout in the making, under one `pack` or `packed`."""

    def __init__(self, pack: int | None, packed: bool, union: bool, unnamed_bits_align: bool) -> None:
        self.pack = pack
        self.packed = packed
        self.union = union
        self.unnamed_bits_align = unnamed_bits_align
        self.end = 0
        self.align = 1

    def fit(self, members: Sequence[Shape], size: int, align: int) -> Fit | None:
        """Place the members in order, each with the least alignment of its own that puts it where it must be."""
        asked: list[int | None] = []
        for member in members:
            own = next(
                (own for own in self.attempts(member) if self.position(member, own) == member.offset), 0
            )
            if own == 0:
                return None
            self.place(member, own)
            asked.append(own)
        raised = align if align > self.align else None
        for index, member in enumerate(members):
            # Rather one alignment than two: that of a member is also one of the record.
            if raised and asked[index] and member.bits is None and raised in self.attempts(member):
                asked[index], raised = raised, None
        if max(self.align, align) != align or _up(-(-self.end // 8), align) != size:
            return None
        return Fit(self.pack, self.packed, raised, tuple(asked))

    def attempts(self, member: Shape) -> Iterator[int | None]:
        """The alignments to try for a member: none of its own first."""
        yield None
        for own in _ASKED:
            # One that the pack in force caps changes nothing.
            if member.offset % (8 * own) == 0 and (self.pack is None or own <= self.pack):
                yield own

    def position(self, member: Shape, own: int | None) -> int:
        """The bit at which a member begins that asks for an alignment of `own` bytes."""
        if self.union:
            return 0
        position = _up(self.end, 8 * self.own_alignment(member, own))
        if self.crosses(member, position):
            position = _up(position, 8 * member.align)
        return position

    def place(self, member: Shape, own: int | None) -> None:
        """Note what a member takes, and what it asks of the record."""
        width = 8 * member.size if member.bits is None else member.bits
        self.end = max(self.end, member.offset + width)
        if member.bits is None:
            self.align = max(self.align, self.own_alignment(member, own))
        elif member.named or self.unnamed_bits_align:
            if member.bits == 0:
                implied = member.align
            else:
                implied = self.capped(member.align) if self.pack else self.natural(member)
            self.align = max(self.align, self.own_alignment(member, own), implied)

    def own_alignment(self, member: Shape, own: int | None) -> int:
        """What its position is a multiple of, in bytes; 0 for a bit-field that lies anywhere."""
        if member.bits is None:
            return self.capped(max(self.natural(member), own or 1))
        if member.bits == 0:
            return max(member.align, own or 0)
        return self.capped(own or 0)

    def natural(self, member: Shape) -> int:
        """The alignment that its type gives it."""
        return 1 if self.packed else member.align

    def capped(self, alignment: int) -> int:
        """No more than the pack in force."""
        return min(alignment, self.pack) if self.pack else alignment

    def crosses(self, member: Shape, position: int) -> bool:
        """Whether a bit-field here would span more units of its type than the type does."""
        if not member.bits or self.pack or self.packed:
            return False
        unit = 8 * member.align
        return -(-(position % unit + member.bits) // unit) > 8 * member.size // unit


def _up(value: int, step: int) -> int:
    return -(-value // step) * step if step else value
