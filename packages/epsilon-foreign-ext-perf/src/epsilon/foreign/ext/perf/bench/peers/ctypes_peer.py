"""ctypes with ``argtypes`` and ``restype``, as its documentation recommends.

`ctypes.CDLL` lets go of the interpreter's lock around calls, `ctypes.PyDLL` holds it
(https://docs.python.org/3/library/ctypes.html#loading-shared-libraries). ctypes masks integers that do not
fit instead of raising, and does not look for NULs in strings.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..contestant import Gil
from ..prototype import Prototype

TYPES: dict[str, Any] = {
    "void": None,
    "int": ctypes.c_int,
    "long": ctypes.c_long,
    "double": ctypes.c_double,
    "float": ctypes.c_float,
    "size_t": ctypes.c_size_t,
    "int8": ctypes.c_int8,
    "int16": ctypes.c_int16,
    "int32": ctypes.c_int32,
    "int64": ctypes.c_int64,
    "uint8": ctypes.c_uint8,
    "uint16": ctypes.c_uint16,
    "uint32": ctypes.c_uint32,
    "uint64": ctypes.c_uint64,
    # c_char_p takes bytes, not str: callers encode. It is also the quickest way in for a buffer that is
    # bytes.
    "string": ctypes.c_char_p,
    "pointer": ctypes.c_void_p,
    "buffer": ctypes.c_char_p,
}


def open_library(path: str | Path, gil: Gil) -> ctypes.CDLL:
    """The library, with the asked treatment of the lock."""
    loader = ctypes.CDLL if gil is Gil.RELEASED else ctypes.PyDLL
    return loader(str(path))


def bind(path: str | Path, prototypes: Iterable[Prototype], gil: Gil) -> dict[str, Callable[..., Any]]:
    """A ctypes function for every prototype, by name."""
    library = open_library(path, gil)
    return {prototype.name: bind_one(library, prototype) for prototype in prototypes}


def bind_one(library: ctypes.CDLL, prototype: Prototype) -> Callable[..., Any]:
    """A ctypes function for one prototype."""
    function = library[prototype.name]
    function.argtypes = [TYPES[parameter] for parameter in prototype.parameters]
    function.restype = TYPES[prototype.result]
    return function
