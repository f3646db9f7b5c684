"""The C library's functions about loaded objects, as far as layer 1 has no use for them (dlfcn.h).

dladdr(3), dlsym(3), dlmopen(3), dlinfo(3). Each raises UnsupportedPlatformError where the C library lacks it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from typing import Any, NamedTuple

from ..elf.file import FORMATS
from ..errors import UnsupportedPlatformError
from .peek import OwnMemory, UnreadableError

LM_ID_NEWLM = -1
_RTLD_DI_LMID = 1
_RTLD_DL_SYMENT = 1


class _DlInfo(ctypes.Structure):
    _fields_ = (
        ("file_name", ctypes.c_void_p),
        ("base", ctypes.c_void_p),
        ("symbol_name", ctypes.c_void_p),
        ("symbol_address", ctypes.c_void_p),
    )


_FORMAT = FORMATS[64 if sys.maxsize > 2**32 else 32]
_SYMBOL = struct.Struct(f"={_FORMAT.symbol}")


class Found(NamedTuple):
    """What dladdr1 says of an address; `symbol` and what follows are None, 0 and 0 where no symbol is near."""

    path: str
    base: int
    symbol: str | None
    address: int
    size: int
    info: int


@functools.cache
def _function(name: str, result: Any, *parameters: Any) -> Any:
    """A function of the process. ctypes, as layer 1's own use of the loader: it is there before any backend."""
    if sys.platform == "win32":
        raise UnsupportedPlatformError(f"{name} is a function of Unix systems")
    try:
        function = ctypes.CDLL(None)[name]
    except AttributeError:
        raise UnsupportedPlatformError(f"this C library has no {name}") from None
    function.restype, function.argtypes = result, list(parameters)
    if name != "dlerror":
        # Found before the other is called: looking for it then would make the loader forget what went wrong.
        _function("dlerror", ctypes.c_char_p)
    return function


def dladdr(address: int) -> Found | None:
    """What is at an address; None when no loaded object holds it.

    The answer points into the memory of an object that another thread may be closing, hence `OwnMemory`.
    """
    info, entry = _DlInfo(), ctypes.c_void_p()
    pointers = ctypes.c_void_p, ctypes.c_void_p
    try:
        ask = _function("dladdr1", ctypes.c_int, *pointers, ctypes.c_void_p, ctypes.c_int)
        done = ask(address, ctypes.byref(info), ctypes.byref(entry), _RTLD_DL_SYMENT)
    except UnsupportedPlatformError:
        done = _function("dladdr", ctypes.c_int, *pointers)(address, ctypes.byref(info))
    if not done:
        return None
    try:
        with OwnMemory() as memory:
            return _found(memory, info, entry.value)
    except UnreadableError:
        return None


def _found(memory: OwnMemory, info: _DlInfo, entry: int | None) -> Found:
    path = memory.string(info.file_name) if info.file_name else ""
    if info.symbol_name is None:
        return Found(path, info.base or 0, None, 0, 0, 0)
    size = kind = 0
    if entry:
        row = _SYMBOL.unpack(memory.read(entry, _SYMBOL.size))
        kind, size = row[_FORMAT.symbol_order[1]], row[_FORMAT.symbol_order[5]]
    return Found(path, info.base or 0, memory.string(info.symbol_name), info.symbol_address or 0, size, kind)


def dlerror() -> str:
    """The loader's words for what this thread did last."""
    message = _function("dlerror", ctypes.c_char_p)()
    return message.decode(errors="replace") if message else "the loader does not say why"


def dlvsym(handle: int, name: str, version: str) -> int:
    """The address of one version of a symbol. Raises LookupError with the loader's words."""
    text = ctypes.c_char_p
    ask = _function("dlvsym", ctypes.c_void_p, ctypes.c_void_p, text, text)
    address = ask(handle, name.encode(), version.encode())
    if not address:
        raise LookupError(dlerror())
    return int(address)


def dlmopen(namespace: int, name: str, flags: int) -> int:
    """Open a library in a namespace, `LM_ID_NEWLM` for a new one. Raises OSError with the loader's words."""
    ask = _function("dlmopen", ctypes.c_void_p, ctypes.c_long, ctypes.c_char_p, ctypes.c_int)
    handle = ask(namespace, os.fsencode(name), flags)
    if not handle:
        raise OSError(dlerror())
    return int(handle)


def namespace_of(handle: int) -> int:
    """The number of the namespace that an open library is in."""
    number = ctypes.c_long()
    ask = _function("dlinfo", ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    if ask(handle, _RTLD_DI_LMID, ctypes.byref(number)):
        raise OSError(dlerror())
    return number.value
