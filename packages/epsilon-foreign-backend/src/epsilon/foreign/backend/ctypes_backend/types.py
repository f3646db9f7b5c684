"""ABI types as ctypes types, and the steps from canonical values to ctypes' and back."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import abi
from ..abi import AbiType, Kind
from ..aggregates import as_aggregate, content, shape
from ..binding import Marshal

_SCALARS: dict[AbiType, Any] = {
    abi.BOOL: ctypes.c_bool,
    abi.INT8: ctypes.c_int8,
    abi.INT16: ctypes.c_int16,
    abi.INT32: ctypes.c_int32,
    abi.INT64: ctypes.c_int64,
    abi.UINT8: ctypes.c_uint8,
    abi.UINT16: ctypes.c_uint16,
    abi.UINT32: ctypes.c_uint32,
    abi.UINT64: ctypes.c_uint64,
    abi.LONGDOUBLE: ctypes.c_longdouble,
    abi.FLOAT: ctypes.c_float,
    abi.DOUBLE: ctypes.c_double,
    abi.POINTER: ctypes.c_void_p,
}

Step = Callable[[Any], Any]


class Crossing(NamedTuple):
    """How one value crosses: its ctypes type, and what to do before and after where ctypes itself does too
    little.
    """

    ctype: Any
    to_c: Step | None = None
    from_c: Step | None = None


class ShapeStruct(ctypes.Structure):
    """Base of the structs made by `_struct`."""


@functools.cache
def _struct(members: tuple[AbiType, ...]) -> Any:
    # One array field where a member a name would cost size // 8 of them. Not for up to four: ctypes describes
    # an array to libffi as a pointer, which must not hide the members of a homogeneous floating-point
    # aggregate.
    if len(members) > 4 and len(set(members)) == 1:
        fields = [("array", _SCALARS[members[0]] * len(members))]
    else:
        fields = [(f"_{i}", _SCALARS[member]) for i, member in enumerate(members)]
    return type("Shape", (ShapeStruct,), {"_fields_": fields})


def crossing(type: AbiType, marshal: Marshal = Marshal.VALUE) -> Crossing | None:
    """How `type` crosses, or None when ctypes cannot pass it."""
    if type.kind is Kind.VOID:
        return Crossing(None)
    if marshal is Marshal.STRING:
        return Crossing(ctypes.c_char_p, None, _decode)
    if marshal is Marshal.BYTES:
        return Crossing(ctypes.c_char_p)
    if type.kind is Kind.AGGREGATE:
        return _aggregate(type)
    if type.kind is Kind.COMPLEX:
        return _complex(type)
    ctype = _SCALARS.get(type)
    return Crossing(ctype) if ctype is not None else None


def _aggregate(type: AbiType) -> Crossing | None:
    members = shape(type)
    if members is None or any(member not in _SCALARS for member in members):
        return None
    struct = _struct(members)
    size = type.size
    return Crossing(
        struct,
        lambda data: struct.from_buffer_copy(content(type, members, data)),
        lambda value: bytes(value)[:size],
    )


def _complex(type: AbiType) -> Crossing | None:
    members = shape(as_aggregate(type))
    if members is None:
        return None
    struct = _struct(members)
    pair = (ctypes.c_float if type == abi.COMPLEX_FLOAT else ctypes.c_double) * 2

    def to_c(value: complex) -> Any:
        return struct.from_buffer_copy(bytes(pair(value.real, value.imag)))

    def from_c(value: Any) -> complex:
        return complex(*pair.from_buffer(value))

    return Crossing(struct, to_c, from_c)


def _decode(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
