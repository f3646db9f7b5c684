"""What is at an address: the nearest symbol, and the library it belongs to."""

from __future__ import annotations

from typing import Any, NamedTuple

from epsilon.foreign.api import ArgumentTypeError, describe

from ..elf.symbols import kind_of
from ..errors import UnsupportedPlatformError
from .dlfcn import dladdr
from .indirect import indirect_name


class AddressSymbol(NamedTuple):
    """What an address belongs to.

    `name` is the exported symbol at or before it, None where there is none; `symbol` is that symbol's address and
    `offset` how many bytes after it the address is. `size` is the symbol's, 0 where unknown, and `kind` is as of an
    `ExportedSymbol`. `library` is the path by which the library was opened, `base` where it is loaded.
    """

    address: int
    name: str | None
    symbol: int
    offset: int
    size: int
    kind: str | None
    library: str
    base: int

    def __str__(self) -> str:
        """``sum9+0x4 in /usr/lib/libsum.so``."""
        if self.name is None:
            return f"{self.library}+{self.address - self.base:#x}"
        return f"{self.name}{f'+{self.offset:#x}' if self.offset else ''} in {self.library}"


def symbol_at(address: Any) -> AddressSymbol | None:
    """The symbol and the library at an address; None for memory that belongs to no library.

    `address` is an int, or whatever has an address: a foreign function, a callback, a variable, a pointer. Only
    exported symbols are known, so the address of a function that is not exported gives the exported one before it,
    with an `offset` beyond its `size`; then `name` is None. A function that an indirect symbol such as ``memcpy``
    stands for is known by that where the address is its first. Raises ArgumentTypeError, UnsupportedPlatformError.
    """
    number = address_of(address)
    found = dladdr(number) if 0 < number < 1 << 64 else None
    if found is None:
        return None
    offset = number - found.address
    if found.symbol is None or (found.size and offset >= found.size):
        if (name := indirect_name(found.path, found.base, number)) is not None:
            return AddressSymbol(number, name, number, 0, 0, "function", found.path, found.base)
        return AddressSymbol(number, None, 0, 0, 0, None, found.path, found.base)
    kind = kind_of(found.info)
    return AddressSymbol(
        number, found.symbol, found.address, offset, found.size, kind, found.path, found.base
    )


def address_of(value: Any) -> int:
    """The address that a value is or has. Raises ArgumentTypeError."""
    if isinstance(value, int):
        return int(value)
    if (convert := getattr(type(value), "__foreign_address__", None)) is not None:
        return int(convert(value))
    try:
        data = describe(value)
    except TypeError:
        pass
    else:
        if data.backend == "isolated":
            raise UnsupportedPlatformError(f"the address of {data.name} is one of another process")
        return data.address
    if isinstance(found := getattr(value, "address", None), int):
        return found
    raise ArgumentTypeError(f"an address or something that has one is expected, not {type(value).__name__}")
