"""What C's operators ask of types: sizeof, alignof, offsetof, typeof."""

from __future__ import annotations

from typing import Any

from epsilon.foreign.backend import expected

from .arrays import Array, ArrayType
from .errors import DeclarationError
from .objects import Data
from .pointers import Pointer
from .types import ForeignType, resolve_type


def complete(row: ForeignType) -> ForeignType:
    """The row itself. Raises DeclarationError for void and for a type of which only the name is known."""
    if not row.complete or row.name == "void" or getattr(row, "count", 0) is None:
        raise DeclarationError(
            f"{row.name} has no size: " + ("it is void" if row.name == "void" else "it is incomplete")
        )
    return row


def typeof(value: Any) -> Any:
    """The C type of a struct, an array or a pointer, as it is written in a declaration; a type is its own."""
    if isinstance(value, Array):
        return ArrayType(type(value).target(), len(value))
    return type(value) if isinstance(value, Data) else value


def sizeof(value: Any) -> int:
    """The size in bytes of a type, or of a data object. A flexible array counts only in an object.

    Raises DeclarationError for what is no C type, or has no size.
    """
    if isinstance(value, Data) and not isinstance(value, Pointer):
        return value._upper - value._lower
    return complete(resolve_type(typeof(value))).size


def alignof(value: Any) -> int:
    """The alignment in bytes of a type or a data object's type. Raises DeclarationError."""
    return complete(resolve_type(typeof(value))).alignment


def offsetof(type: Any, member: str) -> int:
    """The offset in bytes of a member, ``"a"``, or of a member's member, ``"a.b"``.

    Raises DeclarationError for a type without members, AttributeError for an unknown member, ValueError for a
    bit-field.
    """
    row: Any = complete(resolve_type(typeof(type)))
    offset = 0
    if not isinstance(member, str):
        raise expected("the name of a member", member)
    for name in member.split("."):
        fields = getattr(row, "fields", None)
        if fields is None:
            raise DeclarationError(f"{row.name} has no members, so no {name!r}")
        if name not in fields:
            raise AttributeError(f"{row.name} has no member {name!r}; it has {', '.join(fields) or 'none'}")
        field = fields[name]
        if field.width:
            raise ValueError(f"{row.name}.{name} is a bit-field: it has no offset in bytes")
        offset += field.offset
        row = field.row
    return offset
