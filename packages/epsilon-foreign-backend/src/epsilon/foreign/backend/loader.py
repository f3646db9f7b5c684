"""The dynamic loader, as the backends share it: open, look up, close.

On POSIX systems this is dlopen(3) and its siblings through the functions that ctypes itself uses, which keep
the loader's own words in the error; on Windows LoadLibraryEx, GetProcAddress and FreeLibrary.
"""

from __future__ import annotations

import _ctypes
import ctypes
import errno
import os
import sys
from typing import Any

if sys.platform == "win32":
    # LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR, as ctypes.CDLL uses them.
    DEFAULT_FLAGS = 0x1100

    def dlopen(name: str | None, flags: int | None = None) -> int:
        """Open a DLL; None is the executable itself."""
        if name is None:
            return int(ctypes.windll.kernel32.GetModuleHandleW(None))
        return int(_ctypes.LoadLibrary(name, DEFAULT_FLAGS if flags is None else flags))

    def dlsym(handle: int, symbol: str) -> int:
        """The address of an export. Raises LookupError."""
        find = ctypes.windll.kernel32.GetProcAddress
        find.argtypes, find.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_void_p
        address = find(handle, symbol.encode())
        if not address:
            raise LookupError(f"no export {symbol!r}")
        return int(address)

    def dlclose(handle: int) -> None:
        """Drop one reference to a DLL."""
        _ctypes.FreeLibrary(handle)

else:
    # Not _ctypes.dlsym: before 3.14 it crashes on a symbol that exists and whose address is NULL.
    _process = ctypes.CDLL(None)
    _dlsym, _dlerror = _process.dlsym, _process.dlerror
    _dlsym.argtypes, _dlsym.restype = [ctypes.c_void_p, ctypes.c_char_p], ctypes.c_void_p
    _dlerror.argtypes, _dlerror.restype = [], ctypes.c_char_p

    # RTLD_NOW: a missing dependency shows here, with a message, and not at some call later as an abort.
    DEFAULT_FLAGS = os.RTLD_NOW | os.RTLD_LOCAL

    def dlopen(name: str | None, flags: int | None = None) -> int:
        """Open a shared object; None is the process itself. Raises OSError with the loader's message."""
        if name is not None and (not name or "\0" in name):
            # dlopen(3) would take "" for the process and see a name end at its NUL.
            raise OSError(errno.ENOENT, "no library can be named so", name)
        open_: Any = _ctypes.dlopen  # typeshed does not know that None is allowed
        return int(open_(name, DEFAULT_FLAGS if flags is None else flags | os.RTLD_NOW))

    def dlsym(handle: int, symbol: str) -> int:
        """The address of a symbol. Raises LookupError with the loader's message, or when the address is
        NULL.
        """
        try:
            encoded = symbol.encode()
        except UnicodeEncodeError:
            encoded = b"\0"
        if 0 in encoded:
            raise LookupError(f"no symbol can be named {symbol!r}")
        _dlerror()  # forgets an older error of this thread
        address = _dlsym(handle, encoded)
        if address:
            return int(address)
        message = _dlerror()
        raise LookupError(
            message.decode(errors="replace") if message else f"the address of {symbol!r} is NULL"
        )

    def dlclose(handle: int) -> None:
        """Drop one reference to a shared object. Raises OSError."""
        _ctypes.dlclose(handle)
