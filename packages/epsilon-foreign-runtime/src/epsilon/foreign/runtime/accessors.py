"""Machine code in place of Python for members and elements that are plain numbers, where the backend has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import Kind, Marshal, select_backend

from .types import ForeignType

if TYPE_CHECKING:
    from .fields import Field
    from .members import StructType

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


def constructor_base(storage: Any, row: StructType) -> Any:
    """The class to derive a struct from whose objects hold their data themselves: one with a constructor in machine
    code where all members are plain numbers, or `storage`."""
    accessors = getattr(select_backend(), "accessors", None)
    fields = [row.fields[name] for name in row.names]
    plain = all(field.kind == "number" for field in fields)
    if accessors is None or row.union or row.defaults or not plain or row.flexible is not None:
        return storage
    from .structs import Struct, own_memory

    template = object.__new__(storage)
    own_memory(template, row, row.size)
    init = Struct.__init__

    def fallback(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> None:
        init(self, *args, **(kwargs or {}))

    members = [(field.row.abi, field.offset) for field in fields]
    return accessors.constructor(storage, members, template, row.size, row.inline, fallback)


def items_base(base: type, element: Any) -> Any:
    """The class to derive a class of pointers or arrays from: one with item access in machine code, or `base`."""
    if not isinstance(element, ForeignType) or element.marshal is not Marshal.VALUE or element.from_foreign:
        return base  # a struct, for one, which is not asked for its layout to be pointed to
    plain = element.complete and element.abi.kind in _NUMBERS
    accessors = getattr(select_backend(), "accessors", None) if plain else None
    return base if accessors is None else accessors.items(base, element.abi)
