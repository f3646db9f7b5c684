"""Mach-O: the external symbols of the symbol table, read by macholib
(https://github.com/apple-oss-distributions/xnu/blob/main/EXTERNAL_HEADERS/mach-o/nlist.h)."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .image import reader_missing
from .symbol import Symbol

#: Bits of ``n_type`` and ``n_desc``.
_EXTERNAL, _PRIVATE, _TYPE, _UNDEFINED, _DEBUG = 0x01, 0x10, 0x0E, 0x00, 0xE0
_WEAK_DEFINITION = 0x0080
#: What the linker puts into every library.
_LINKER = ("__dso_handle", "_mh_dylib_header", "dyld_stub_binder")
#: ``cputype`` by what `platform.machine` says.
_PROCESSORS = {"x86_64": 0x01000007, "arm64": 0x0100000C, "aarch64": 0x0100000C}


def read(path: Path) -> tuple[list[Symbol], list[str]]:
    """The exported symbols and the needed libraries; of a fat file, those of this machine's processor if it has it."""
    try:
        from macholib.MachO import MachO
        from macholib.SymbolTable import SymbolTable
    except ImportError as error:
        raise reader_missing("Mach-O", "macholib", error) from error
    image = MachO(str(path))
    wanted = _PROCESSORS.get(platform.machine().lower())
    header = next((h for h in image.headers if h.header.cputype == wanted), image.headers[0])
    sections = [s for _, command, data in header.commands if hasattr(command, "nsects") for s in data]
    needed = [name for _, _, name in header.walkRelocatables()]
    return list(_symbols(SymbolTable(image, header=header), sections)), needed


def _symbols(table: Any, sections: list[Any]) -> Iterator[Symbol]:
    for entry, name in table.nlists:
        kind = entry.n_type
        if kind & _DEBUG or not kind & _EXTERNAL or kind & _PRIVATE or kind & _TYPE == _UNDEFINED:
            continue
        # Apple's compilers put an underscore before every name of C's; the loader's functions do without.
        text = name.decode("utf-8", "replace").removeprefix("_")
        if text in _LINKER:
            continue
        section = sections[entry.n_sect - 1] if 0 < entry.n_sect <= len(sections) else None
        code = section is not None and section.segname.rstrip(b"\0") == b"__TEXT"
        yield Symbol(text, "function" if code else "variable", weak=bool(entry.n_desc & _WEAK_DEFINITION))
