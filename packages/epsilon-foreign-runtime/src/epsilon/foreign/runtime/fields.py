"""Members of structs and unions as attributes: one descriptor for each, made in one place."""

from __future__ import annotations

import functools
from typing import Any

from epsilon.foreign.backend import LIVE, READONLY, ArgumentError, Kind, Marshal, window

from .bits import Bits, bit_access
from .errors import ConstError
from .items import CODES, Store, items_of
from .objects import check_live
from .types import ForeignType

_BASE = window.BASE
_CELLS = window.VIEWS["Q"]


class Field(property):
    """The attribute of a member: ``point.x`` on the class.

    `kind` is ``"number"`` (a machine value that needs no conversion), ``"value"`` (converted, or a view) or
    ``"bits"``. `offset` and `size` in bytes are the member's, for bits those of the unit that holds them,
    `shift` and `width` in bits within it. `put` writes without asking whether the member is const.
    """

    name: str
    row: ForeignType
    kind: str
    offset: int
    size: int
    shift: int
    width: int
    readonly: bool
    code: str | None
    """The item format of `struct` for ``"number"``."""
    put: Any

    def __repr__(self) -> str:
        bits = f", bits {self.shift} to {self.shift + self.width - 1}" if self.width else ""
        return f"<field {self.name}: {self.row.name} at {self.offset}, {self.size} bytes{bits}>"


def make_descriptor(
    name: str,
    row: ForeignType,
    offset: int,
    *,
    bits: Bits | None = None,
    size: int = 0,
    shift: int = 0,
    readonly: bool = False,
) -> Field:
    """The attribute `name` (``"struct.member"``, for messages) of a member of type `row` at `offset` bytes.

    For a bit-field, `bits` and the `size` in bytes of its unit, and its `shift` in that.
    """
    code = None
    if bits is not None:
        kind, load, store = "bits", *bit_access(bits, size, shift)
    else:
        items = items_of(row)
        kind, load, store, code = "value", items.load, items.store, _machine_code(row)
        kind, size = ("number" if code else "value"), items.size
    get = _number_getter(code, offset) if code else _getter(load, offset)
    put = _putter(store, offset, name)
    field = Field(get, _refuse(name) if readonly else _setter(put, name))
    field.name, field.row, field.kind, field.offset, field.size = name, row, kind, offset, size
    field.shift, field.width, field.code = shift, bits.width if bits else 0, code
    field.readonly, field.put = readonly, put
    return field


_NUMBERS = (Kind.SIGNED, Kind.UNSIGNED, Kind.FLOAT, Kind.BOOL)


def _machine_code(row: ForeignType) -> str | None:
    """The item format of a number that is read as it is."""
    plain = row.marshal is Marshal.VALUE and row.from_foreign is None and row.abi.kind in _NUMBERS
    return CODES.get((row.abi.kind, row.size)) if plain else None


def _number_getter(code: str, offset: int) -> Any:
    item, load = window.VIEWS[code], items_reader(code)
    low = item.itemsize - 1
    shift = item.itemsize.bit_length() - 1
    relative = offset - _BASE

    def get(self: Any) -> Any:
        live = self._live
        if not live or _CELLS[(live - _BASE) >> 3] != LIVE:
            check_live(self)
        place = self._address + relative
        return load(place + _BASE, self) if place & low else item[place >> shift]

    return get


@functools.cache
def items_reader(code: str) -> Any:
    """`items.reader`, one for each format."""
    from .items import reader

    return reader(code)


def _getter(load: Any, offset: int) -> Any:
    def get(self: Any) -> Any:
        live = self._live
        if not live or _CELLS[(live - _BASE) >> 3] != LIVE:
            check_live(self)
        return load(self._address + offset, self)

    return get


def _putter(store: Store, offset: int, name: str) -> Any:
    def put(self: Any, value: Any) -> None:
        live = self._live
        if not live or _CELLS[(live - _BASE) >> 3] != LIVE:
            check_live(self)
        try:
            store(self._address + offset, value, self)
        except ArgumentError as error:
            raise type(error)(f"{name}: {error}") from None

    return put


def _setter(put: Any, name: str) -> Any:
    def set(self: Any, value: Any) -> None:
        if self._flags & READONLY:
            raise ConstError(f"{name} cannot be written: the memory is const")
        put(self, value)

    return set


def _refuse(name: str) -> Any:
    def refuse(self: Any, value: Any) -> None:
        raise ConstError(f"{name} cannot be written: it is const")

    return refuse
