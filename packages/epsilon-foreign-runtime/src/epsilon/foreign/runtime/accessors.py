"""Machine code in place of Python for members and elements that are plain numbers, where the backend has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import Kind, Marshal, select_backend

from .types import ForeignType

if TYPE_CHECKING:
    from .fields import Field

_NUMBERS = (Kind.SIGNED, Kind.UNSIGNED, Kind.FLOAT)


def install_members(cls: type, fields: Mapping[str, Field]) -> None:
    """Replace the attributes of plain members of a new class by machine code. `Field`s stay in the row."""
    accessors = getattr(select_backend(), "accessors", None)
    if accessors is None:
        return
    for name, field in fields.items():
        if field.kind == "number":
            made = accessors.member(
                cls,
                name,
                field.row.abi,
                field.offset,
                field.fget,
                field.fset,
                doc=repr(field),
                readonly=field.readonly,
            )
            if made is not None:
                setattr(cls, name, made)


def items_base(base: type, element: Any) -> Any:
    """The class to derive a class of pointers or arrays from: one with item access in machine code, or `base`."""
    if not isinstance(element, ForeignType) or not element.complete:
        return base
    plain = element.marshal is Marshal.VALUE and element.from_foreign is None and element.abi.kind in _NUMBERS
    accessors = getattr(select_backend(), "accessors", None) if plain else None
    return base if accessors is None else accessors.items(base, element.abi)
