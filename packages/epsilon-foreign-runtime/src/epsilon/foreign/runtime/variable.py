"""Variables that a library exports, with a type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import ArgumentError, ClosedLibraryError

from .access import read, write
from .types import ForeignType

if TYPE_CHECKING:
    from .library import Library


class Variable:
    """A typed view of a C variable. `value` reads and writes it; the library must be open."""

    __slots__ = ("_library", "address", "name", "type")

    def __init__(self, library: Library, name: str, address: int, type: ForeignType) -> None:
        self._library = library
        self.name = name
        self.address = address
        self.type = type

    @property
    def value(self) -> Any:
        """The variable's value now.

        Raises ClosedLibraryError; ArgumentError for a value that does not fit.
        """
        self._check_open()
        return read(self.address, self.type)

    @value.setter
    def value(self, value: Any) -> None:
        self._check_open()
        try:
            write(self.address, self.type, value)
        except ArgumentError as error:
            raise type(error)(f"variable {self.name}: {error}") from None

    def _check_open(self) -> None:
        if self._library.closed:
            raise ClosedLibraryError(f"variable {self.name} was used, but its library is closed")

    def __foreign_address__(self) -> int:
        """Where the variable is, so that ``&variable`` can be passed as a pointer."""
        self._check_open()
        return self.address

    def __repr__(self) -> str:
        return f"<foreign variable {self.name}: {self.type.name} at {self.address:#x}>"
