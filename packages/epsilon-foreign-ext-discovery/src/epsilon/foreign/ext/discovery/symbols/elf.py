"""ELF: the dynamic symbol table, with versions (https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/
LSB-Core-generic/symversion.html), read by pyelftools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .symbol import Symbol

_KINDS = {
    "STT_FUNC": "function",
    "STT_LOOS": "function",  # STT_GNU_IFUNC: a function that is chosen when it is resolved
    "STT_GNU_IFUNC": "function",
    "STT_OBJECT": "variable",
    "STT_COMMON": "variable",
    "STT_TLS": "thread-local",
}
_EXPORTED = ("STB_GLOBAL", "STB_WEAK", "STB_LOOS")  # STB_LOOS is STB_GNU_UNIQUE
_VISIBLE = ("STV_DEFAULT", "STV_PROTECTED")
#: Versions 0 and 1 are "local" and "no version"; the top bit says that a version is not the default.
_NO_VERSION, _HIDDEN = 1, 0x8000


def read(path: Path) -> tuple[list[Symbol], list[str]]:
    """The exported symbols and the needed libraries of an ELF file."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as stream:
        elf = ELFFile(stream)
        needed = [
            tag.needed
            for segment in elf.iter_segments("PT_DYNAMIC")
            for tag in segment.iter_tags("DT_NEEDED")
        ]
        return list(_symbols(elf)), needed


def _symbols(elf: Any) -> Iterator[Symbol]:
    table = elf.get_section_by_name(".dynsym")
    if table is None:
        segment = next(iter(elf.iter_segments("PT_DYNAMIC")), None)
        if segment is not None:  # the section headers were stripped, which the loader does not mind
            for symbol in segment.iter_symbols():
                yield from _symbol(symbol, "", True)
        return
    indices = elf.get_section_by_name(".gnu.version")
    versions = _defined_versions(elf)
    for index, symbol in enumerate(table.iter_symbols()):
        version, default = "", True
        if indices is not None:
            number = indices.get_symbol(index)["ndx"]
            if isinstance(number, int):
                version, default = versions.get(number & ~_HIDDEN, ""), not number & _HIDDEN
        yield from _symbol(symbol, version, default)


def _symbol(symbol: Any, version: str, default: bool) -> Iterator[Symbol]:
    info = symbol["st_info"]
    defined = symbol["st_shndx"] != "SHN_UNDEF" and symbol.name
    # A version's own name is a symbol too, an absolute one.
    if not defined or info["bind"] not in _EXPORTED or symbol["st_other"]["visibility"] not in _VISIBLE:
        return
    if symbol["st_shndx"] == "SHN_ABS" and symbol.name == version:
        return
    kind = _KINDS.get(info["type"], "symbol")
    yield Symbol(symbol.name, kind, symbol["st_size"], version, default, info["bind"] == "STB_WEAK")


def _defined_versions(elf: Any) -> dict[int, str]:
    """The names of the versions that the library itself defines; the first is its own name, and no version."""
    section = elf.get_section_by_name(".gnu.version_d")
    if section is None:
        return {}
    found = {}
    for version, names in section.iter_versions():
        if version["vd_ndx"] != _NO_VERSION:
            found[version["vd_ndx"]] = next(iter(names)).name
    return found
