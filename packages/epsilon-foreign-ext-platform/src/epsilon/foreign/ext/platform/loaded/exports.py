"""The symbols that a library's file exports, and one version of a symbol of an open library."""

from __future__ import annotations

import os

from epsilon.foreign.api import ArgumentTypeError, Library, LibraryError, SymbolNotFoundError

from ..elf.dynamic import Dynamic
from ..elf.file import Elf
from ..elf.symbols import ExportedSymbol, exported
from ..errors import UnsupportedPlatformError
from ..search.find import Name, explain_search
from ..search.names import is_path
from .dlfcn import dlvsym


def exported_symbols(library: Name | Library) -> list[ExportedSymbol]:
    """Every symbol that a library exports, in the order of its table, whatever machine the library is for.

    `library` is a path, a name to be found as `find_library` finds it, or an open library. A symbol with several
    versions is there once for each. Reads the file and loads nothing. Raises LibraryError when nothing of that name is
    found, OSError, and ElfError when the file is no ELF file, truncated or static.
    """
    with Elf.open(_path(library)) as elf:
        return exported(Dynamic(elf))


def _path(library: Name | Library) -> str:
    if isinstance(library, Library):
        if library.path is None:
            raise ArgumentTypeError("the process itself is no file; give the path of its program")
        name = library.path
    else:
        name = os.fsdecode(library)
    if is_path(name):
        return name
    explanation = explain_search(name)
    if explanation.path is None:
        raise LibraryError(str(explanation))
    return explanation.path


def versioned_symbol(library: Library, name: str, version: str) -> int:
    """The address of one version of a symbol: ``versioned_symbol(libc, "memcpy", "GLIBC_2.2.5")``.

    Programs that were linked against an older version go on getting that; dlsym gives the default one. Bind it with
    ``epsilon.foreign.api.shared_call`` or a `Callback` type's ``from_address``. Raises SymbolNotFoundError with the
    versions that there are, ClosedLibraryError, and UnsupportedPlatformError where there is no dlvsym or the
    library is open in another process (`isolated`).
    """
    for what, value in (("name", name), ("version", version)):
        if not isinstance(value, str) or "\0" in value:
            raise ArgumentTypeError(f"a symbol's {what} (str) is expected, not {value!r}")
    if library.remote is not None:
        raise UnsupportedPlatformError(
            "versions are looked up in this process, and the library is open in another one"
        )
    try:
        return dlvsym(library.handle, name, version)
    except LookupError as error:
        raise SymbolNotFoundError(f"{name}@{version}: {error}{_others(library, name)}") from None


def _others(library: Library, name: str) -> str:
    try:
        versions = [symbol.version for symbol in exported_symbols(library) if symbol.name == name]
    except (OSError, ValueError, TypeError):
        return ""
    known = sorted(version for version in versions if version)
    return f"; the versions there are: {', '.join(known)}" if known else ""
