"""The row of a struct or union type, and how its values cross and lie in memory."""

from __future__ import annotations

from typing import Any

from epsilon.foreign.backend import AbiType, Accept, Contents, Kind, Marshal, expected

from .errors import DeclarationError
from .items import Items
from .objects import view
from .types import ForeignType


class StructType(ForeignType):
    """The row of a struct or union; `complete` is False until its members are known, for ever when it is
    opaque.

    `fields` has every member that can be reached by name, those of anonymous members included; `names` those
    that the constructor takes, in order; `defaults` their default values. `inline` is the offset in bytes of
    the data in an object that holds them itself, 0 when none does. `groups` says which declared member each
    name belongs to.
    """

    __slots__ = (
        "_made",
        "cls",
        "complete",
        "defaults",
        "fields",
        "flexible",
        "groups",
        "has_pointers",
        "inline",
        "inline_size",
        "names",
        "union",
    )

    def __init__(self, name: str, *, union: bool = False) -> None:
        super().__init__(
            name,
            AbiType(Kind.AGGREGATE, 0, 1, name),
            marshal=Marshal.OBJECT,
            to_foreign=self._to_bytes,
            from_foreign=self._from_bytes,
        )
        self.complete = False
        self.cls: Any = None
        self.union = union
        self.fields: dict[str, Any] = {}
        self.groups: dict[str, str] = {}
        self.names: tuple[str, ...] = ()
        self.defaults: dict[str, Any] = {}
        self.flexible: Any = None
        self.has_pointers = False
        self.inline = 0
        self.inline_size = 0
        self._made: Contents | None = None

    def _to_bytes(self, value: Any) -> bytes:
        from .structs import bytes_of

        if not issubclass(type(value), self.cls):  # whatever a mock says of itself
            raise expected(self.name, value)
        return bytes_of(value)[: self.size]

    def _from_bytes(self, data: bytes) -> Any:
        from .structs import from_bytes

        return from_bytes(self.cls, data)

    def accept_objects(self) -> Accept | None:
        """Objects of the very class; for others, Python must ask what they derive from."""
        return Accept((self.cls,))

    def make_object(self) -> Contents | None:
        """An object that holds the data itself, where the class is made for that."""
        if (
            self._made is None
            and self.inline
            and self.size <= self.inline_size
            and not self.cls.__dictoffset__
        ):
            from .structs import own_memory

            template = object.__new__(self.cls)
            own_memory(template, self, self.size)
            # Objects that keep others alive must die when they are dropped.
            self._made = Contents(template, self.inline, reuse=not self.has_pointers)
        return self._made

    def make_items(self) -> Items:
        """See `items_of`: a struct is read as a view, and written by copying."""
        if not self.complete:
            raise DeclarationError(
                f"{self.name} is incomplete: its size is not known, only pointers to it are"
            )
        from .display import format_of
        from .structs import build, copy_struct

        cls, size, alignment = self.cls, self.size, self.alignment

        def load(address: int, holder: Any) -> Any:
            return view(cls, address, size, alignment, holder)

        def store(address: int, value: Any, holder: Any) -> None:
            if not issubclass(type(value), cls):
                if not isinstance(value, (tuple, list, dict)):
                    raise expected(self.name, value)
                value = build(self, value)
            copy_struct(value, address, holder, size)

        return Items(self, size, alignment - 1, load, store, None, format_of(self))


def holds_pointer(type: AbiType) -> bool:
    """Is there a pointer in a value of this type?"""
    return type.kind is Kind.POINTER or any(holds_pointer(field.type) for field in type.fields)
