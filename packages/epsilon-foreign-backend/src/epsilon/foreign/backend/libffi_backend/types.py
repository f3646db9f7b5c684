"""ABI types in cffi's words, and the steps from canonical values to cffi's and back."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import cffi

from .. import abi
from ..abi import AbiType, Kind
from ..aggregates import as_aggregate, content, shape
from ..binding import Marshal

ffi = cffi.FFI()

_SCALARS: dict[AbiType, str] = {
    abi.BOOL: "_Bool",
    abi.INT8: "int8_t",
    abi.INT16: "int16_t",
    abi.INT32: "int32_t",
    abi.INT64: "int64_t",
    abi.UINT8: "uint8_t",
    abi.UINT16: "uint16_t",
    abi.UINT32: "uint32_t",
    abi.UINT64: "uint64_t",
    abi.LONGDOUBLE: "long double",
    abi.FLOAT: "float",
    abi.DOUBLE: "double",
    abi.POINTER: "void *",
}

Step = Callable[[Any], Any]


class Crossing(NamedTuple):
    """How one value crosses: its C type as text, and what to do before and after."""

    ctype: str
    to_c: Step | None = None
    from_c: Step | None = None


def crossing(type: AbiType, marshal: Marshal = Marshal.VALUE) -> Crossing | None:
    """How `type` crosses, or None when cffi's ABI mode cannot pass it."""
    if type.kind is Kind.VOID:
        return Crossing("void")
    if marshal in _TEXT:
        return _TEXT[marshal]
    if type.kind is Kind.AGGREGATE:
        return _aggregate(type)
    if type.kind is Kind.COMPLEX:
        return _complex(type)
    ctype = _SCALARS.get(type)
    if ctype is None:
        return None
    return _SPECIAL.get(type) or Crossing(ctype)


def _from_pointer(value: int) -> int | None:
    return value or None


def _to_text(value: bytes | None) -> Any:
    # cffi lends the bytes object's own memory for the length of the call.
    return ffi.NULL if value is None else value


def _from_bytes(value: Any) -> bytes | None:
    return None if value == ffi.NULL else bytes(ffi.string(value))


def _from_string(value: Any) -> str | None:
    return None if value == ffi.NULL else bytes(ffi.string(value)).decode()


_SPECIAL = {
    # As an integer, which every calling convention passes the same way: cffi would want, and give, a cdata.
    abi.POINTER: Crossing("uintptr_t", None, _from_pointer),
    # cffi returns a long double as a cdata that keeps the precision; Python has nothing wider than a double.
    abi.LONGDOUBLE: Crossing("long double", None, float),
    abi.BOOL: Crossing("_Bool", None, bool),
}
#: As C passes a bool to a callback: cffi would refuse any other byte than 0 and 1, and lose the exception.
BOOL_FROM_C = Crossing("uint8_t", None, bool)
_TEXT = {
    Marshal.STRING: Crossing("char *", _to_text, _from_string),
    Marshal.BYTES: Crossing("char *", _to_text, _from_bytes),
}


#: Names are never used twice, also when a finalizer needs a struct while another is being declared.
_numbers = itertools.count()


@functools.cache
def _struct(members: tuple[AbiType, ...]) -> str:
    name = f"shape_{next(_numbers)}"
    if len(members) > 2 and len(set(members)) == 1:
        declared = f"{_SCALARS[members[0]]} a[{len(members)}];"
    else:
        declared = " ".join(f"{_SCALARS[member]} m{i};" for i, member in enumerate(members))
    ffi.cdef(f"struct {name} {{ {declared} }};")
    return f"struct {name}"


def _aggregate(type: AbiType) -> Crossing | None:
    members = shape(type)
    if members is None or any(member not in _SCALARS for member in members):
        return None
    struct = _struct(members)
    size = type.size

    def to_c(data: bytes) -> Any:
        cell = ffi.new(f"{struct} *")
        ffi.memmove(cell, content(type, members, data), ffi.sizeof(struct))
        return cell[0]

    def from_c(value: Any) -> bytes:
        return bytes(ffi.buffer(ffi.addressof(value)))[:size]

    return Crossing(struct, to_c, from_c)


def _complex(type: AbiType) -> Crossing | None:
    """cffi's ABI mode refuses complex numbers, so they travel as the struct that the ABI passes alike."""
    found = _aggregate(as_aggregate(type))
    if found is None or found.to_c is None or found.from_c is None:
        return None
    inward, outward = found.to_c, found.from_c
    pair = "float[2]" if type == abi.COMPLEX_FLOAT else "double[2]"

    def to_c(value: complex) -> Any:
        return inward(bytes(ffi.buffer(ffi.new(pair, [value.real, value.imag]))))

    def from_c(value: Any) -> complex:
        return complex(*ffi.from_buffer(pair, bytearray(outward(value))))

    return Crossing(found.ctype, to_c, from_c)
