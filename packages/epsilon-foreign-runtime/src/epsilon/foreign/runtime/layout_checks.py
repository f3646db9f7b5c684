"""What a struct or union may not be declared as; every message names type, member and bound.

The constraints are C11 6.7.2.1 and 6.7.5 (https://www.open-std.org/jtc1/sc22/wg14/www/docs/n1570.pdf), with
GNU C's empty structs and zero-length arrays allowed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from epsilon.foreign.backend import Kind

from .errors import DeclarationError, LayoutError

if TYPE_CHECKING:
    from .layout import Member

#: The greatest alignment that gcc and ELF know, in bytes.
MAX_ALIGNMENT = 1 << 28
#: What ``#pragma pack`` takes.
PACKS = (1, 2, 4, 8, 16)

_BITFIELD_KINDS = (Kind.BOOL, Kind.SIGNED, Kind.UNSIGNED)


def check_pack(name: str, pack: int | None) -> None:
    """Raise LayoutError unless `pack` is one of `PACKS`, or None."""
    if pack is not None and (type(pack) is not int or pack not in PACKS):
        raise LayoutError(f"{name}: pack={pack!r} is not 1, 2, 4, 8 or 16 bytes")


def check_alignment(name: str, align: int | None) -> None:
    """Raise LayoutError unless `align` is a power of two up to `MAX_ALIGNMENT`, or None."""
    if align is None:
        return
    if type(align) is not int or align < 1 or align & (align - 1):
        raise LayoutError(f"{name}: align={align!r} is not a power of two")
    if align > MAX_ALIGNMENT:
        raise LayoutError(f"{name}: align={align} is more than {MAX_ALIGNMENT} bytes")


def check_size(name: str, size: int) -> None:
    """Raise LayoutError for a size that no object can have."""
    if size > sys.maxsize:
        raise LayoutError(f"{name}: its size, {size} bytes, is more than {sys.maxsize}")


def check_members(name: str, members: Sequence[Member], union: bool) -> None:
    """Check every member, and what they are together: names once, a flexible array last and not alone."""
    seen: set[str] = set()
    for index, member in enumerate(members):
        where = f"{name}.{member.name}" if member.name is not None else f"{name}, member {index + 1}"
        if member.name is not None and member.name in seen:
            raise DeclarationError(f"{where} is declared twice")
        if member.name is not None:
            seen.add(member.name)
        _check_type(where, member)
        check_alignment(where, member.align)
        if member.bits is not None:
            _check_bitfield(where, member, member.bits)
        else:
            _check_plain(where, member)
        if member.flexible:
            _check_flexible(where, members, index, union)


def _check_type(where: str, member: Member) -> None:
    type = member.type
    if type.size is None:
        raise DeclarationError(
            f"{where}: {type.name} is incomplete: its size is not known, only pointers to it are"
        )
    if type.kind is Kind.VOID:
        raise DeclarationError(f"{where}: a member cannot be void")
    check_alignment(f"{where}: {type.name}", type.alignment)


def _check_bitfield(where: str, member: Member, bits: int) -> None:
    base = member.type
    if base.kind not in _BITFIELD_KINDS:
        raise DeclarationError(
            f"{where}: a bit-field is of an integer type, bool or an enum, not {base.name}"
        )
    if member.count != 1 or member.flexible:
        raise DeclarationError(f"{where}: there are no arrays of bit-fields")
    widest = 1 if base.kind is Kind.BOOL else 8 * base.size
    if type(bits) is not int:
        raise DeclarationError(f"{where}: the width of a bit-field is an int, not {bits!r}")
    if not 0 <= bits <= widest:
        raise LayoutError(f"{where}: a bit-field of {base.name} has 1 to {widest} bits, not {bits}")
    if bits == 0 and member.name is not None:
        raise LayoutError(f"{where}: a bit-field of 0 bits has no name")


def _check_plain(where: str, member: Member) -> None:
    base, count = member.type, member.count
    if member.name is None and base.kind is not Kind.AGGREGATE:
        raise DeclarationError(
            f"{where}: only a struct, a union or a bit-field may be anonymous, not {base.name}"
        )
    if type(count) is not int:
        raise DeclarationError(f"{where}: the number of elements is an int, not {count!r}")
    if count < 0:
        raise LayoutError(f"{where}: an array has no {count} elements")
    if base.size * count > sys.maxsize:
        raise LayoutError(f"{where}: {count} elements of {base.size} bytes are more than {sys.maxsize} bytes")
    if (count != 1 or member.flexible) and base.size % base.alignment:
        # gcc: "alignment of array elements is greater than element size"
        raise DeclarationError(
            f"{where}: elements of {base.size} bytes cannot all be aligned to {base.alignment}"
        )


def _check_flexible(where: str, members: Sequence[Member], index: int, union: bool) -> None:
    if union:
        raise DeclarationError(f"{where}: a union cannot have a flexible array")
    if index != len(members) - 1:
        raise DeclarationError(f"{where}: a flexible array is the last member")
    if not any(member.name is not None or member.type.kind is Kind.AGGREGATE for member in members[:-1]):
        raise DeclarationError(f"{where}: a flexible array cannot be the only member")
