"""``Owned[T, free]``: results that the caller must free, and who frees them."""

from __future__ import annotations

import contextlib
from typing import Any

from epsilon.foreign.backend import (
    POINTER,
    LifetimeError,
    Marshal,
    expected,
    remote_memory,
    string_at,
    type_name,
)

from .blocks import Allocation
from .errors import DeclarationError, SymbolNotFoundError
from .items import Items, load_address, store_address
from .pointers import Pointer, PointerType, pointer_at, pointer_to
from .types import TYPES, ForeignType, resolve_type

_TEXT = {Marshal.STRING: lambda data: data.decode(), Marshal.BYTES: lambda data: data}


class Owned:
    """``Owned[T, free]``: a result (or ``Out`` parameter) that is freed with `free`.

    T is `string` or `bytes`, which are copied and freed at once, or a pointer type, whose memory is freed
    when the last Python pointer to it is gone, or by its `release`. `free` is the name of a function of the
    same library (or of the process), or a function of one pointer.
    """

    def __class_getitem__(cls, parameters: Any) -> OwnedType:
        if not isinstance(parameters, tuple) or len(parameters) != 2:
            raise DeclarationError('Owned[T, free] takes a type and who frees it: Owned[c.string, "free"]')
        return OwnedType(resolve_type(parameters[0]), parameters[1])


class OwnedType(ForeignType):
    """The row of ``Owned[T, free]``."""

    __slots__ = ("base", "free")

    def __init__(self, base: ForeignType, free: Any) -> None:
        text = base.abi.kind is POINTER.kind and base.result_marshal in _TEXT
        if not text and not isinstance(base, PointerType) and base is not TYPES["pointer"]:
            raise DeclarationError(f"Owned[{base.name}, ...]: only strings and pointers are owned")
        if not isinstance(free, str) and not callable(free):
            raise DeclarationError(
                f"Owned[{base.name}, ...]: a function or its name frees, not {type_name(free)}"
            )
        name = f"Owned[{base.name}, {free if isinstance(free, str) else getattr(free, '__name__', free)}]"
        super().__init__(
            name, POINTER, marshal=Marshal.OBJECT, to_foreign=self._refuse, from_foreign=self.take
        )
        self.base = base
        self.free = free

    def of_library(self, library: Any) -> OwnedType:
        """This row with `free` looked up in a library, or else in the process. Raises SymbolNotFoundError."""
        if not isinstance(self.free, str):
            return self
        try:
            free = library.bind(self.free, None, [TYPES["pointer"]])
        except SymbolNotFoundError:
            free = _process().bind(self.free, None, [TYPES["pointer"]])
        return OwnedType(self.base, free)

    def take(self, address: int | None) -> Any:
        """What the user gets of an address that C gave away; None for NULL."""
        free = self.of_library(_process()).free if isinstance(self.free, str) else self.free
        if isinstance(self.base, PointerType) or self.base is TYPES["pointer"]:
            cls = self.base.cls if isinstance(self.base, PointerType) else Pointer
            return _owned_pointer(cls, address, free)
        if not address:
            return None if self.base.from_foreign is None else self.base.from_foreign(None)
        origin = _origin()
        try:
            data = string_at(address)
        finally:
            free(_raw(address, origin))
        value = _TEXT[self.base.result_marshal](data)
        return value if self.base.from_foreign is None else self.base.from_foreign(value)

    def _refuse(self, value: Any) -> Any:
        raise expected(f"no argument: {self.name} is for results", value)

    def make_items(self) -> Items:
        """See `items_of`: an ``Out[Owned[...]]`` parameter is read once."""

        def load(address: int, holder: Any) -> Any:
            return self.take(load_address(address, holder))

        def store(address: int, value: Any, holder: Any) -> None:
            if value is not None:
                self._refuse(value)
            store_address(address, 0, holder)

        return Items(self, self.size, self.alignment - 1, load, store)


class _Gift(Allocation):
    """Memory that C gave away."""

    __slots__ = ("_origin", "_release_function")

    def __init__(self, address: int, function: Any) -> None:
        super().__init__("it was released", address, manual=True)
        self._release_function = function
        self._origin = _origin()

    def _dispose(self) -> None:
        if self._origin is None:
            self._release_function(_raw(self.address))
            return
        # Where the process that it was allocated in has ended, it has been freed.
        with contextlib.suppress(LifetimeError):
            self._release_function(_raw(self.address, self._origin))

    def _abandon(self) -> None:
        # Where the library has been closed in the meantime, its memory cannot be given back any more.
        if contextlib is None:  # the interpreter is shutting down, and what `_dispose` needs is gone
            return
        with contextlib.suppress(LifetimeError):
            self._dispose()


def _owned_pointer(cls: Any, address: int | None, free: Any) -> Any:
    plain = cls.from_address(address or 0)
    if not address:
        return plain
    gift = _Gift(address, free)
    return pointer_at(cls, address, plain._lower, plain._upper, gift._live, gift)


def _raw(address: int, origin: Any = None) -> Any:
    # As a pointer to char: what takes `c.pointer`, `Pointer` or any one-byte type takes it.
    pointer = pointer_to(TYPES["void"]).from_address(address)
    pointer._owner = origin
    return pointer


def _origin() -> Any:
    """What owns the memory that an address from C is of; None in this process."""
    remote = remote_memory()
    return None if remote is None else remote.origin


def _process() -> Any:
    from .library import shared_library

    return shared_library(None)
