"""Reading and writing one value of a C type in memory: a pair of functions for each type.

They check nothing about the address: whoever calls them has checked bounds and lifetime. They take the data
object that the memory belongs to as well: views keep it alive, and pointers stored in it keep their targets
alive through it. Converting a value may run code of its class, which may free that memory: so a store that has
converted one looks at the object once more before it writes.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from epsilon.foreign.backend import Address, Kind, Marshal, remotes, window
from epsilon.foreign.backend import string_at as foreign_string

from .errors import DeclarationError
from .objects import Data, check_live, keep, kept_at
from .types import ForeignType, lend

_BASE = window.BASE
_BYTES = window.BYTES

Load = Callable[[int, Any], Any]
Store = Callable[[int, Any, Any], None]


class Items(NamedTuple):
    """How values of one type are accessed: ``load(address, holder)`` and ``store(address, value, holder)``.

    `code` is the item's format in the words of `struct` when its values are plain numbers that need no
    conversion, and `format` what PEP 3118 calls it.
    """

    row: ForeignType
    size: int
    low: int
    """The bits of an address that are 0 when it is aligned."""
    load: Load
    store: Store
    code: str | None = None
    format: bytes = b"B"


#: (kind, size in bytes) -> the item format of `struct`.
CODES: dict[tuple[Kind, int], str] = {
    (Kind.BOOL, 1): "?",
    (Kind.SIGNED, 1): "b",
    (Kind.SIGNED, 2): "h",
    (Kind.SIGNED, 4): "i",
    (Kind.SIGNED, 8): "q",
    (Kind.UNSIGNED, 1): "B",
    (Kind.UNSIGNED, 2): "H",
    (Kind.UNSIGNED, 4): "I",
    (Kind.UNSIGNED, 8): "Q",
    (Kind.FLOAT, 4): "f",
    (Kind.FLOAT, 8): "d",
    (Kind.POINTER, 4): "I",
    (Kind.POINTER, 8): "Q",
}
_PLAIN = (Kind.SIGNED, Kind.UNSIGNED, Kind.FLOAT)


def items_of(row: ForeignType) -> Items:
    """How values of `row` are accessed. Raises DeclarationError for what has no value in memory: void, a
    buffer, an incomplete type."""
    found = row.items
    if found is None:
        found = row.items = _make(row)
    return found  # type: ignore[no-any-return]  # the slot belongs to this module


def _make(row: ForeignType) -> Items:
    own = getattr(row, "make_items", None)
    if own is not None:
        return own()  # type: ignore[no-any-return]  # structs, arrays and pointers know how
    kind = row.abi.kind
    if kind in (Kind.VOID, Kind.AGGREGATE):
        raise DeclarationError(f"{row.name} has no value in memory")
    if kind is Kind.POINTER:
        return _address(row)
    if kind is Kind.COMPLEX:
        return _compound(row, _HALVES[row.size], b"Zf" if row.size == 8 else b"Zd")
    code = CODES.get((kind, row.size))
    return _long_double(row) if code is None else _number(row, code)


def _number(row: ForeignType, code: str) -> Items:
    load, store = reader(code), _writer(code, row.to_foreign)
    convert = row.from_foreign
    plain = row.marshal is Marshal.VALUE and convert is None and row.abi.kind in _PLAIN
    format = b"c" if row.name == "char" else code.encode()
    return Items(
        row,
        row.size,
        row.alignment - 1,
        load if convert is None else lambda address, holder: convert(load(address, holder)),
        store,
        code if plain else None,
        format,
    )


def reader(code: str) -> Load:
    """A function that reads a machine value of an item format at an address of any alignment."""
    item, unpack = window.VIEWS[code], struct.Struct(code).unpack_from
    size = struct.calcsize(code)
    shift, low = size.bit_length() - 1, size - 1

    def load(address: int, holder: Any) -> Any:
        place = address - _BASE
        return unpack(_BYTES, place)[0] if place & low else item[place >> shift]

    return load


def machine_word(code: str) -> tuple[Callable[[int], Any], Callable[[int, Any], None]]:
    """Functions that read and write the unsigned number of an item format, at an address of any alignment."""
    load, store = reader(code), _raw_writer(code)
    return (lambda address: load(address, None)), (lambda address, number: store(address, number, None))


def _writer(code: str, convert: Callable[[Any], Any]) -> Store:
    write = _raw_writer(code)

    def store(address: int, value: Any, holder: Any) -> None:
        canonical = convert(value)
        check_live(holder)
        write(address, canonical, holder)

    return store


def _raw_writer(code: str) -> Store:
    """A function that writes a machine value of an item format at an address of any alignment."""
    item, pack = window.VIEWS[code], struct.Struct(code).pack_into
    size = struct.calcsize(code)
    shift, low = size.bit_length() - 1, size - 1

    def store(address: int, value: Any, holder: Any) -> None:
        place = address - _BASE
        if place & low:
            pack(_BYTES, place, value)
        else:
            item[place >> shift] = value

    return store


_HALVES = {8: ctypes.c_float * 2, 16: ctypes.c_double * 2}


def _compound(row: ForeignType, ctype: Any, format: bytes) -> Items:
    """Complex numbers, which no view of memory has items of."""
    inward, outward = row.to_foreign, row.from_foreign

    def load(address: int, holder: Any) -> Any:
        value = complex(*ctype.from_address(address))
        return value if outward is None else outward(value)

    def store(address: int, value: Any, holder: Any) -> None:
        canonical = inward(value)
        check_live(holder)
        ctype.from_address(address)[:] = [canonical.real, canonical.imag]

    return Items(row, row.size, row.alignment - 1, load, store, None, format)


#: Bytes of a long double that have a meaning: the x87's are padded, and what ctypes pads with is left from elsewhere.
_LONG_DOUBLE = (
    10 if bytes(ctypes.c_longdouble(1.5))[8:10] == b"\xff\x3f" else ctypes.sizeof(ctypes.c_longdouble)
)


def _long_double(row: ForeignType) -> Items:
    inward, outward = row.to_foreign, row.from_foreign
    ctype, move, reference = ctypes.c_longdouble, ctypes.memmove, ctypes.byref

    def load(address: int, holder: Any) -> Any:
        value = ctype.from_address(address).value
        return value if outward is None else outward(value)

    def store(address: int, value: Any, holder: Any) -> None:
        canonical = inward(value)
        check_live(holder)
        # As C does it, which leaves the padding as it is.
        move(address, reference(ctype(canonical)), _LONG_DOUBLE)

    return Items(row, row.size, row.alignment - 1, load, store, None, b"g")


load_address = reader(CODES[Kind.POINTER, ctypes.sizeof(ctypes.c_void_p)])
_store_address = _raw_writer(CODES[Kind.POINTER, ctypes.sizeof(ctypes.c_void_p)])


def store_address(slot: int, address: int, holder: Any) -> None:
    """Store an address; an `Address` stays alive as long as the memory it is stored in. Raises LifetimeError."""
    check_live(holder)
    _store_address(slot, address, holder)
    keep(holder, slot, address if isinstance(address, Address) and address.keep is not None else None)


def _address(row: ForeignType) -> Items:
    """Strings and untyped pointers."""
    if Marshal.BUFFER in (row.marshal, row.result_marshal) or Marshal.WRITABLE in (
        row.marshal,
        row.result_marshal,
    ):
        raise DeclarationError(f"a {row.name} cannot be stored in memory; use c.pointer or Pointer[...]")
    inward, outward = row.to_foreign, row.from_foreign
    text = _TEXT.get(row.result_marshal)

    def load(address: int, holder: Any) -> Any:
        found = load_address(address, holder) or None
        if found is None or text is None:
            value = found
        elif remotes and kept_at(holder, address, found) is None:
            value = text(foreign_string(found, address))
        else:
            value = text(ctypes.string_at(found))
        return value if outward is None else outward(value)

    def store(address: int, value: Any, holder: Any) -> None:
        canonical = inward(value)
        if canonical is None or isinstance(canonical, bytes):
            canonical = lend(canonical)
        elif type(canonical) is int and isinstance(value, Data):
            canonical = Address(canonical, value)
        store_address(address, canonical, holder)

    return Items(row, row.size, row.alignment - 1, load, store, None, b"P")


_TEXT: dict[Marshal, Callable[[bytes], Any]] = {Marshal.BYTES: bytes, Marshal.STRING: bytes.decode}
