"""Finding libclang and the headers that belong to the compiler itself (``stddef.h``, ``stdarg.h`` ...).

The `libclang-ng` wheel has both. The older `libclang` wheel and most systems' libclang have the library alone;
then clang's or gcc's own headers of this machine serve, if there are any. Nothing is imported to find out.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import sys
from pathlib import Path
from typing import NamedTuple

from ..errors import ParserUnavailableError

#: Names a libclang that is to be used: a file, or a folder it is in.
VARIABLE = "EPSILON_FOREIGN_LIBCLANG"

_FILES = {"darwin": ("libclang.dylib",), "win32": ("libclang.dll",)}
_NAMES = ("libclang.so", "libclang.so.1", "libclang-*.so*")
_FOLDERS = (
    "/usr/lib/llvm-*/lib",
    "/usr/lib/*-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/opt/llvm/lib",
    "/Library/Developer/CommandLineTools/usr/lib",
)
#: Where compilers keep their own headers, best first.
_RESOURCES = (
    "/usr/lib/llvm-*/lib/clang/*",
    "/usr/lib/clang/*",
    "/usr/lib64/clang/*",
    "/usr/local/lib/clang/*",
    "/Library/Developer/CommandLineTools/usr/lib/clang/*",
    "/usr/lib/gcc/*/*",
)


class Installation(NamedTuple):
    """A libclang: its file, and the folder whose ``include`` has the compiler's headers, if one was found.

    `is_clangs` is False for gcc's headers, which are a folder to search and no resource directory. `libcxx` is
    the C++ library that came along, if one did.
    """

    library: Path
    resource: Path | None
    is_clangs: bool = True
    libcxx: Path | None = None


def locate(libclang: str | os.PathLike[str] | None = None) -> Installation:
    """The libclang to use: the one named, by argument or by ``EPSILON_FOREIGN_LIBCLANG``, the wheel's, the system's.

    Raises ParserUnavailableError, which says what was tried.
    """
    named = os.fspath(libclang) if libclang is not None else os.environ.get(VARIABLE)
    if named:
        return _at(_named(Path(named)))
    found = _in_wheel() or _in_system()
    if found is None:
        raise ParserUnavailableError(
            "no libclang: neither the libclang-ng package nor a libclang of the system was found. "
            f"'pip install libclang-ng' brings one; {VARIABLE} names another. Binding files load without"
        )
    return _at(found)


def _named(path: Path) -> Path:
    if path.is_dir():
        found = _in_folder(path)
        if found is None:
            raise ParserUnavailableError(f"no libclang in {path}")
        return found
    if not path.exists():
        raise ParserUnavailableError(f"no libclang at {path}")
    return path


def _in_wheel() -> Path | None:
    try:
        spec = importlib.util.find_spec("clang")
    except (ImportError, ValueError):
        return None
    for folder in (spec and spec.submodule_search_locations) or ():
        found = _in_folder(Path(folder, "native"))
        if found is not None:
            return found
    return None


def _in_system() -> Path | None:
    for pattern in _FOLDERS:
        for folder in sorted(glob.glob(pattern), key=_version, reverse=True):
            found = _in_folder(Path(folder))
            if found is not None:
                return found
    return None


def _in_folder(folder: Path) -> Path | None:
    for name in _FILES.get(sys.platform, _NAMES):
        found = sorted(folder.glob(name), key=lambda path: _version(path.name), reverse=True)
        if found:
            return found[0]
    return None


def _at(library: Path) -> Installation:
    near = library.parent
    own = [near / "resource", *sorted(near.glob("clang/*"), key=lambda p: _version(p.name), reverse=True)]
    elsewhere = [
        Path(folder)
        for pattern in _RESOURCES
        for folder in sorted(glob.glob(pattern), key=_version, reverse=True)
    ]
    libcxx = near / "libcxx"
    for folder in own + elsewhere:
        if (folder / "include" / "stddef.h").is_file():
            is_clangs = "/gcc/" not in folder.as_posix()
            return Installation(
                library, folder, is_clangs, libcxx if (libcxx / "cstddef").is_file() else None
            )
    return Installation(library, None, True, libcxx if (libcxx / "cstddef").is_file() else None)


def _version(text: str) -> tuple[int, ...]:
    """The numbers in a path, so that 19 comes after 7."""
    return tuple(int(part) for part in "".join(c if c.isdigit() else " " for c in text).split())
