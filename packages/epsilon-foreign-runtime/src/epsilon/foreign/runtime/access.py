"""Reading and writing one value of a C type at an address.

The address must be valid: whoever calls this has checked bounds and lifetime.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import ArgumentTypeError, Kind, Marshal, string_at, type_name

from .types import ForeignType

_BY_KIND_AND_SIZE: dict[tuple[Kind, int], Any] = {
    (Kind.BOOL, ctypes.sizeof(ctypes.c_bool)): ctypes.c_bool,
    (Kind.FLOAT, ctypes.sizeof(ctypes.c_longdouble)): ctypes.c_longdouble,
    (Kind.FLOAT, 8): ctypes.c_double,
    (Kind.FLOAT, 4): ctypes.c_float,
    (Kind.POINTER, ctypes.sizeof(ctypes.c_void_p)): ctypes.c_void_p,
    (Kind.SIGNED, 1): ctypes.c_int8,
    (Kind.SIGNED, 2): ctypes.c_int16,
    (Kind.SIGNED, 4): ctypes.c_int32,
    (Kind.SIGNED, 8): ctypes.c_int64,
    (Kind.UNSIGNED, 1): ctypes.c_uint8,
    (Kind.UNSIGNED, 2): ctypes.c_uint16,
    (Kind.UNSIGNED, 4): ctypes.c_uint32,
    (Kind.UNSIGNED, 8): ctypes.c_uint64,
}
_HALVES: dict[int, Any] = {8: ctypes.c_float * 2, 16: ctypes.c_double * 2}


def read(address: int, row: ForeignType) -> Any:
    """The Python value of the C value at `address`."""
    kind = row.abi.kind
    value: Any
    if row.result_marshal in (Marshal.STRING, Marshal.BYTES):
        found = ctypes.c_void_p.from_address(address).value
        raw = None if found is None else string_at(found)
        value = raw.decode() if raw is not None and row.result_marshal is Marshal.STRING else raw
    elif kind is Kind.COMPLEX:
        value = complex(*_HALVES[row.size].from_address(address))
    elif kind is Kind.AGGREGATE:
        value = ctypes.string_at(address, row.size)
    else:
        value = _BY_KIND_AND_SIZE[kind, row.size].from_address(address).value
    return value if row.from_foreign is None else row.from_foreign(value)


def write(address: int, row: ForeignType, value: Any, check: Callable[[], None] | None = None) -> None:
    """Store a Python value as a C value at `address`.

    `check` is called between conversion and store: converting may run code that ends the memory. Raises an
    ArgumentError when the value does not fit, and for strings and buffers, whose memory nothing would keep
    alive.
    """
    # The result's marshal, since what `define_type` makes of a string is an OBJECT to arguments.
    if row.result_marshal not in (Marshal.VALUE, Marshal.OBJECT):
        raise ArgumentTypeError(
            f"cannot store a {row.name} from {type_name(value)}: nothing would keep its memory alive; "
            "store the address of memory of your own as c.pointer"
        )
    kind = row.abi.kind
    canonical = row.to_foreign(value)
    if check is not None:
        check()
    if kind is Kind.COMPLEX:
        _HALVES[row.size].from_address(address)[:] = [canonical.real, canonical.imag]
    elif kind is Kind.AGGREGATE:
        ctypes.memmove(address, bytes(canonical), row.size)
    else:
        _BY_KIND_AND_SIZE[kind, row.size].from_address(address).value = canonical
