"""Variables that a library exports, with a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import (
    ArgumentError,
    ClosedLibraryError,
    RemoteMemory,
    remotes,
    use_backend,
    window,
)

from .access import read, write
from .blocks import own_block
from .errors import ConstError
from .items import items_of
from .objects import ALWAYS
from .pointers import pointer_at, pointer_to
from .types import ForeignType

if TYPE_CHECKING:
    from .library import Library


class Variable:
    """A typed view of a C variable. `value` reads and writes it; the library must be open.

    Of a struct or an array, `value` is a view of the variable itself, and what is assigned is copied into it. One that
    is `readonly` cannot be assigned to: C may keep it where writing ends the process. A variable in another process is
    copied from there and back: `value` is a copy.
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
        if not remotes:
            return self._load(self.address, self.pointer)
        with use_backend(self._library._backend):  # in whose process any further addresses are
            place = self.pointer() if self._remote is None else self._copy(self._remote)
            return self._load(place._address, lambda: place)

    @value.setter
    def value(self, value: Any) -> None:
        self._check_open()
        if self.readonly:
            raise ConstError(f"variable {self.name} cannot be written: it is const")
        try:
            if self._remote is None:
                self._store(self.address, value, self.pointer)
                return
            with use_backend(self._library._backend):
                copy = self._copy(self._remote)
                self._store(copy._address, value, lambda: copy)
                self._remote.write(self.address, window.read_bytes(copy._address, self.type.size))
        except ArgumentError as error:
            raise type(error)(f"variable {self.name}: {error}") from None

    @property
    def _rich(self) -> bool:
        """Is it of a type whose values are data objects?"""
        return hasattr(self.type, "make_items")

    @property
    def _remote(self) -> RemoteMemory | None:
        """The memory of the process that the library is in, unless it is this one."""
        return getattr(self._library._backend, "remote", None)

    def _copy(self, remote: RemoteMemory) -> Any:
        """A pointer to a copy of the variable as it is now."""
        size = self.type.size
        owner, address = own_block(size, self.type.alignment)
        window.write_bytes(address, remote.read(self.address, size))
        cls = pointer_to(self.type, const=self.readonly)
        return pointer_at(cls, address, address, address + size, ALWAYS, owner)

    def _load(self, address: int, holder: Callable[[], Any]) -> Any:
        return items_of(self.type).load(address, holder()) if self._rich else read(address, self.type)

    def _store(self, address: int, value: Any, holder: Callable[[], Any]) -> None:
        if self._rich:
            items_of(self.type).store(address, value, holder())
        else:
            write(address, self.type, value, self._check_open)

    def pointer(self) -> Any:
        """A pointer to the variable, usable while the library is open, and without bounds when it is in another
        process. Raises ClosedLibraryError."""
        self._check_open()
        cls = pointer_to(self.type, const=self.readonly)
        if self._remote is not None:
            return cls.from_address(self.address)
        lifetime, upper = self._library.lifetime, self.address + self.type.size
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
