"""Where a C compiler puts the members of a struct or union: pure functions over sizes and alignments.

The rules are the "System V ABI", psABI i386 and x86-64 3.1.2 (https://gitlab.com/x86-psABIs/x86-64-ABI), and
AAPCS64 5.9 and 10.1.8 (https://github.com/ARM-software/abi-aa/blob/main/aapcs64/aapcs64.rst), as gcc and
clang implement them with ``#pragma pack`` and the attributes ``packed`` and ``aligned``
(https://gcc.gnu.org/onlinedocs/gcc/Common-Type-Attributes.html). Microsoft's bit-fields are laid out
differently and are not described here.

What is easily got wrong, each confirmed against compilers by the tests:

- Any ``#pragma pack``, even ``pack(16)``, lets bit-fields straddle the units of their type; without one, a
  bit-field that would cross a boundary of its type starts at that boundary.
- A zero-width bit-field aligns what follows it to its type even inside ``#pragma pack``. On x86 an unnamed
  bit-field adds nothing to the struct's own alignment; on AArch64 it does.
- ``#pragma pack`` caps the alignment that a *member* asks for; ``__attribute__((packed))`` does not. Neither
  caps the alignment asked for on the *type*, and neither looks inside a nested struct.
- Inside ``#pragma pack`` gcc still aligns a bit-field that asks for it, up to the cap; clang does not. Here
  and wherever else they differ, gcc is followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from epsilon.foreign.backend import UINT8, UNSIGNED_BY_SIZE, AbiType, Field, Kind, aggregate

from . import bitfields
from .layout_checks import check_alignment, check_members, check_pack, check_size


class Member(NamedTuple):
    """One member as it is declared: ``type name[count]``, ``type name : bits``, or ``type name[]``.

    A member without a name is an anonymous struct or union, or an unnamed bit-field. `bits` is the width of a
    bit-field, 0 only without a name. `signed` says how a bit-field's top bit reads; it does not change the
    layout. `count` of 0 is GNU C's zero-length array. `flexible` is a flexible array member: its `count` is
    not looked at. `align` in bytes is ``__attribute__((aligned(n)))``, or ``_Alignas(n)``, on the member; it
    only ever raises.
    """

    name: str | None
    type: AbiType
    bits: int | None = None
    signed: bool = True
    count: int = 1  # type: ignore[assignment]  # a tuple's method of that name is not missed
    flexible: bool = False
    align: int | None = None


class Placed(NamedTuple):
    """A member with the bytes through which to reach it, relative to the start of the struct.

    For a bit-field, ``int.from_bytes(data[offset : offset + size], sys.byteorder) >> shift & (1 << width) -
    1`` is its value before the sign: `size` is 1, 2, 4 or 8, and where no such unit lies inside the struct,
    the exact number of bytes (3, 5, 6, 7 or 9), to be accessed one by one. Neighbours may share these bytes:
    writing is read, modify, write. A zero-width bit-field has `size` 0. For every other member `shift` and
    `width` are 0, and `size` is that of all its elements (0 for a flexible array).
    """

    member: Member
    offset: int
    size: int
    shift: int = 0
    width: int = 0


class Layout(NamedTuple):
    """Size and alignment in bytes, the members in order, and `fields` as `epsilon.foreign.backend.aggregate`
    takes them.

    `flexible_offset` is where the flexible array begins, which may be less than `size`; None when there is
    none.
    """

    size: int
    alignment: int
    placed: tuple[Placed, ...]
    fields: tuple[Field, ...]
    flexible_offset: int | None = None


class Rules(NamedTuple):
    """Where the processors' conventions differ."""

    #: An unnamed bit-field adds its type's alignment to that of the struct (AAPCS64 10.1.8.2).
    unnamed_bits_align: bool = False


SYSTEM_V = Rules()
AAPCS64 = Rules(unnamed_bits_align=True)


def native_rules() -> Rules:
    """The rules of the processor that this interpreter runs on."""
    return AAPCS64 if os.uname().machine.lower() in ("aarch64", "arm64") else SYSTEM_V


def lay_out(
    members: Sequence[Member],
    *,
    name: str = "struct",
    union: bool = False,
    pack: int | None = None,
    align: int | None = None,
    packed: bool = False,
    rules: Rules | None = None,
) -> Layout:
    """Lay out a struct, or a union, of `members`.

    `pack` is the n of ``#pragma pack(n)``: 1, 2, 4, 8 or 16 bytes. `packed` is ``__attribute__((packed))`` on
    the type; it differs from ``pack=1`` only where a member has an `align` of its own. `align` is
    ``__attribute__((aligned(n)))`` on the type. `name` is for messages; `rules` for another target than the
    running one.

    Raises DeclarationError for members that C has no meaning for, LayoutError (a ValueError, too) for numbers
    out of range: see `layout_checks`.
    """
    members = tuple(members)
    check_pack(name, pack)
    check_alignment(name, align)
    check_members(name, members, union)
    plan = _Plan(pack, packed, rules or native_rules(), align or 1)
    positions = list(plan.overlay(members) if union else plan.sequence(members))
    alignment = plan.alignment
    size = _up(-(-plan.end // 8), alignment)
    check_size(name, size)
    return Layout(
        size,
        alignment,
        tuple(_placed(member, at, size) for member, at in zip(members, positions, strict=True)),
        tuple(_fields(members, positions, plan, union)),
        positions[-1] // 8 if members and members[-1].flexible else None,
    )


class _Plan:
    """The state of one layout: the alignment so far (bytes) and the end of what is placed (bits)."""

    def __init__(self, pack: int | None, packed: bool, rules: Rules, alignment: int) -> None:
        self.pack = pack
        self.packed = packed
        self.rules = rules
        self.alignment = alignment
        self.end = 0

    def sequence(self, members: Iterable[Member]) -> Iterator[int]:
        """The bit at which each member of a struct begins."""
        for member in members:
            position = _up(self.end, 8 * self._own_alignment(member))
            if self._crosses(member, position):
                position = _up(position, 8 * member.type.alignment)
            self.end = position + _width(member)
            yield position

    def overlay(self, members: Iterable[Member]) -> Iterator[int]:
        """The same for a union: 0 for all."""
        for member in members:
            self._own_alignment(member)
            self.end = max(self.end, _width(member))
            yield 0

    def _own_alignment(self, member: Member) -> int:
        """What the member's position is a multiple of, in bytes (0: of a bit); notes what it asks of the
        struct.
        """
        if member.bits is None:
            own = self.plain_alignment(member)
            self.alignment = max(self.alignment, own)
            return own
        return self._bitfield_alignment(member)

    def _bitfield_alignment(self, member: Member) -> int:
        asked = member.align or 0
        if member.bits == 0:
            # Neither pack nor packed has a say in what a zero-width bit-field aligns.
            own = implied = max(member.type.alignment, asked)
        else:
            own = self._capped(asked)
            # gcc and clang agree: a pack in force overrides packed for what a bit-field's type implies.
            implied = self._capped(member.type.alignment) if self.pack else self._natural(member)
        if member.name is not None or self.rules.unnamed_bits_align:
            self.alignment = max(self.alignment, own, implied)
        return own

    def plain_alignment(self, member: Member) -> int:
        """The alignment in bytes of a member that is no bit-field."""
        return self._capped(max(self._natural(member), member.align or 1))

    def asked(self, member: Member) -> int:
        """The alignment in bytes that a bit-field itself asks for and gets; 0 for none."""
        return self._capped(member.align or 0)

    def _natural(self, member: Member) -> int:
        return 1 if self.packed else member.type.alignment

    def _capped(self, alignment: int) -> int:
        return min(alignment, self.pack) if self.pack else alignment

    def _crosses(self, member: Member, position: int) -> bool:
        """Does a bit-field here span more of its type's alignment units than its type does?"""
        if not member.bits or self.pack or self.packed:
            return False
        unit = 8 * member.type.alignment
        return -(-(position % unit + member.bits) // unit) > 8 * member.type.size // unit


def _up(value: int, step: int) -> int:
    return -(-value // step) * step if step else value


def _width(member: Member) -> int:
    """Bits that a member takes."""
    if member.bits is not None:
        return member.bits
    return 0 if member.flexible else 8 * member.type.size * member.count


def _placed(member: Member, position: int, size: int) -> Placed:
    if not member.bits:
        return Placed(member, position // 8, _width(member) // 8)
    return Placed(member, *bitfields.access(position, member.bits, size), member.bits)


def _fields(members: Iterable[Member], positions: Iterable[int], plan: _Plan, union: bool) -> Iterator[Field]:
    """What the calling conventions look at; where gcc and clang differ, what gcc does.

    gcc counts the padding of an unnamed bit-field as integer data, and a zero-width one in a union.
    """
    for member, position in zip(members, positions, strict=True):
        field = Field(position // 8, member.type, member.count)
        if member.bits is None:
            if not member.flexible:
                yield _field(field, plan.plain_alignment(member), plan.alignment)
            continue
        if union and plan.end:
            yield Field(0, _whole(member.type, member.bits))
        if member.bits:
            yield _field(_bits(position, member.bits, plan.packed), plan.asked(member), plan.alignment)
        elif member.align is not None:
            yield Field(position // 8, aggregate(0, member.align, ()))


def _bits(position: int, width: int, packed: bool) -> Field:
    """The bytes of a bit-field.

    One that is exactly an aligned integer is one to gcc: misaligned when its struct is.
    """
    first, count = bitfields.occupied(position, width)
    whole = UNSIGNED_BY_SIZE.get(count)
    if whole is not None and width == 8 * count and position % width == 0 and not packed:
        return Field(first, whole)
    return Field(first, UINT8, count)


def _whole(type: AbiType, bits: int) -> AbiType:
    """How gcc classifies a bit-field in a union: as an integer that holds its bits, and may be misaligned."""
    alignment = next(unit for unit in bitfields.UNITS if bits <= 8 * unit)
    return AbiType(Kind.UNSIGNED, 1, alignment, type.name)


def _field(field: Field, own: int, struct: int) -> Field:
    """`field`, inside an aggregate of the member's `own` alignment where that is not its type's.

    AAPCS64 6.8.2 chooses registers by the alignment of an aggregate's members, whatever that of their types.
    It is the alignment of the `struct` at most, and where that is less, too, nothing need be said.
    """
    type = field.type
    if own in (0, type.alignment) or own == struct < type.alignment:
        return field
    inside = (Field(0, type, field.count),)
    return Field(field.offset, aggregate(field.count * type.size, own, inside, type.name))
