"""The rows of C's scalar types, under the names that `c` has them by, with their sizes on this platform."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from epsilon.foreign import backend as abi
from epsilon.foreign.backend import (
    C_TYPES,
    SIGNED_BY_SIZE,
    UNSIGNED_BY_SIZE,
    AbiType,
    ArgumentRangeError,
    ArgumentValueError,
    Converter,
    Marshal,
    expected,
    integer,
)

from .types import ForeignType, add_type

#: Row name -> C name, where the two differ.
_INTEGERS = {
    "schar": "signed char",
    "uchar": "unsigned char",
    "short": "short",
    "ushort": "unsigned short",
    "int": "int",
    "uint": "unsigned int",
    "long": "long",
    "ulong": "unsigned long",
    "longlong": "long long",
    "ulonglong": "unsigned long long",
    "size_t": "size_t",
    "ssize_t": "ssize_t",
    "ptrdiff_t": "ptrdiff_t",
    "intptr_t": "intptr_t",
    "uintptr_t": "uintptr_t",
}
_FIXED: dict[str, AbiType] = {
    "int8": abi.INT8,
    "int16": abi.INT16,
    "int32": abi.INT32,
    "int64": abi.INT64,
    "uint8": abi.UINT8,
    "uint16": abi.UINT16,
    "uint32": abi.UINT32,
    "uint64": abi.UINT64,
}
_OTHERS: dict[str, AbiType] = {
    "void": abi.VOID,
    "bool": abi.BOOL,
    "float": abi.FLOAT,
    "double": abi.DOUBLE,
    "longdouble": abi.LONGDOUBLE,
    "float_complex": abi.COMPLEX_FLOAT,
    "double_complex": abi.COMPLEX_DOUBLE,
}
_POINTERS: dict[str, Marshal] = {
    "string": Marshal.STRING,
    "bytes": Marshal.BYTES,
    "buffer": Marshal.BUFFER,
    "mutable_buffer": Marshal.WRITABLE,
}


def _named_integer(name: str, type: AbiType) -> Converter:
    return integer(type, name)


#: Plain `char` is signed by the ABIs of x86 and of Apple's and Microsoft's AArch64, unsigned by AAPCS64
#: (8.1.1).
CHAR = abi.UINT8 if sys.platform == "linux" and os.uname().machine in ("aarch64", "arm64") else abi.INT8


def _to_char(value: Any) -> int:
    """One byte, as bytes of length 1 or as an integer that fits either kind of char."""
    if isinstance(value, (bytes, bytearray)):
        if len(value) != 1:
            raise ArgumentValueError(f"expected one byte for char, got {len(value)}")
        number = value[0]
    elif hasattr(value, "__index__"):
        number = value.__index__()
        if not -128 <= number <= 255:
            raise ArgumentRangeError(f"{number} does not fit char (-128 to 255)")
    else:
        raise expected("bytes of length 1 or an integer for char", value)
    return _as_signed(number) if CHAR is abi.INT8 else number & 0xFF


def _as_signed(number: int) -> int:
    return number - 256 if number > 127 else number


def _from_char(value: int) -> bytes:
    return bytes((value & 0xFF,))


WCHAR_SIZE = ctypes.sizeof(ctypes.c_wchar)
# wchar_t is signed int on x86 Linux and unsigned on AArch64 Linux; no code point reaches the sign.
WCHAR = SIGNED_BY_SIZE[WCHAR_SIZE] if WCHAR_SIZE == 4 else UNSIGNED_BY_SIZE[WCHAR_SIZE]


def _to_wchar(value: Any) -> int:
    """One code point, as a str of length 1."""
    if not isinstance(value, str):
        raise expected("a str of length 1 for wchar_t", value)
    if len(value) != 1:
        raise ArgumentValueError(f"expected one character for wchar_t, got {len(value)}")
    low, high = WCHAR.bounds
    if not low <= ord(value) <= high:
        raise ArgumentRangeError(f"{value!r} does not fit wchar_t")
    return ord(value)


def _define() -> None:
    for name, c_name in _INTEGERS.items():
        add_type(ForeignType(name, C_TYPES[c_name], to_foreign=_named_integer(name, C_TYPES[c_name])))
    for name, type in (*_FIXED.items(), *_OTHERS.items()):
        add_type(ForeignType(name, type))
    for name, marshal in _POINTERS.items():
        add_type(ForeignType(name, abi.POINTER, marshal=marshal))
    add_type(ForeignType("char", CHAR, marshal=Marshal.OBJECT, to_foreign=_to_char, from_foreign=_from_char))
    add_type(ForeignType("wchar", WCHAR, marshal=Marshal.OBJECT, to_foreign=_to_wchar, from_foreign=chr))
    add_type(ForeignType("pointer", abi.POINTER, to_foreign=to_pointer))


_default_pointer = abi.converter(abi.POINTER)


def to_pointer(value: Any) -> int:
    """An address: None, an integer, or an object with ``__foreign_address__()``.

    That method returns an integer, best an `Address` that keeps the memory alive.
    """
    lend = getattr(type(value), "__foreign_address__", None)
    if lend is not None:
        value = lend(value)
    elif value is not None and not hasattr(value, "__index__"):
        raise expected("an address (int), a pointer or None; for the memory of a buffer use c.buffer", value)
    return _default_pointer(value)  # type: ignore[no-any-return]  # the canonical pointer is an int


_define()
