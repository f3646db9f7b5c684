"""Variables that a library exports, with a type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import ArgumentError, ClosedLibraryError

from .access import read, write
from .errors import ConstError
from .items import items_of
from .pointers import pointer_at, pointer_to
from .types import ForeignType

if TYPE_CHECKING:
    from .library import Library


class Variable:
    """A typed view of a C variable. `value` reads and writes it; the library must be open.

    Of a struct or an array, `value` is a view of the variable itself, and what is assigned is copied into it. One that
    is `readonly` cannot be assigned to: C may keep it where writing ends the process.
    """

    __slots__ = ("_library", "address", "name", "readonly", "type")

    def __init__(
        self, library: Library, name: str, address: int, type: ForeignType, readonly: bool = False
    ) -> None:
        self._library = library
        self.name = name
        self.address = address
        self.type = type
        self.readonly = readonly

    @property
    def value(self) -> Any:
        """The variable's value now.

        Raises ClosedLibraryError; ArgumentError for a value that does not fit, ConstError when it is const.
        """
        self._check_open()
        if self._rich:
            return items_of(self.type).load(self.address, self.pointer())
        return read(self.address, self.type)

    @value.setter
    def value(self, value: Any) -> None:
        self._check_open()
        if self.readonly:
            raise ConstError(f"variable {self.name} cannot be written: it is const")
        try:
            if self._rich:
                items_of(self.type).store(self.address, value, self.pointer())
            else:
                write(self.address, self.type, value)
        except ArgumentError as error:
            raise type(error)(f"variable {self.name}: {error}") from None

    @property
    def _rich(self) -> bool:
        """Is it of a type whose values are data objects?"""
        return hasattr(self.type, "make_items")

    def pointer(self) -> Any:
        """A pointer to the variable, usable while the library is open. Raises ClosedLibraryError."""
        self._check_open()
        lifetime, upper = self._library.lifetime, self.address + self.type.size
        cls = pointer_to(self.type, const=self.readonly)
        return pointer_at(cls, self.address, self.address, upper, lifetime._live, lifetime)

    def _check_open(self) -> None:
        if self._library.closed:
            raise ClosedLibraryError(f"variable {self.name} was used, but its library is closed")

    def __foreign_address__(self) -> int:
        """Where the variable is, so that ``&variable`` can be passed as a pointer."""
        self._check_open()
        return self.address

    def __repr__(self) -> str:
        const = "const " if self.readonly else ""
        return f"<foreign variable {self.name}: {const}{self.type.name} at {self.address:#x}>"
