"""The symbols that a library exports: names, versions, kinds.

"Symbol Table" and "Hash Table" of the generic ABI (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.symtab.html);
the GNU hash table as binutils and the C library implement it.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .dynamic import DT_GNU_HASH, DT_HASH, DT_SYMTAB, DT_VERSYM, Dynamic
from .errors import ElfError
from .file import text
from .versions import HIDDEN, defined_versions

_KINDS = {0: "untyped", 1: "data", 2: "function", 5: "data", 6: "thread-local", 10: "function"}
_BINDINGS = {1: "global", 2: "weak", 10: "unique"}
_IFUNC = 10
_DEFAULT, _PROTECTED = 0, 3  # visibilities that others see
_UNDEFINED, _ABSOLUTE = 0, 0xFFF1


class ExportedSymbol(NamedTuple):
    """A symbol that a library gives to others.

    `version` is None where the library has none; `default` says whether asking without a version finds it. `kind` is
    ``function``, ``data``, ``thread-local`` or ``untyped`` (hand-written assembly, mostly); `indirect` functions are
    chosen when the library is loaded, as ``memcpy`` is for the processor. `address` counts from where the library is
    loaded; `size` is in bytes, 0 where unknown.
    """

    name: str
    version: str | None
    default: bool
    kind: str
    binding: str
    indirect: bool
    address: int
    size: int

    def __str__(self) -> str:
        """``memcpy@@GLIBC_2.14``: two @ for the default version, as the tools of the trade write it."""
        return (
            self.name if self.version is None else f"{self.name}{'@@' if self.default else '@'}{self.version}"
        )


def kind_of(info: int) -> str | None:
    """The kind of a symbol with that ``st_info``; None for what is no symbol of a program (a file, a section)."""
    return _KINDS.get(info & 15)


def exported(dynamic: Dynamic) -> list[ExportedSymbol]:
    """Every symbol that a file exports, in the order of its table. Raises ElfError."""
    rows = _rows(dynamic)
    versions, indices = defined_versions(dynamic), _version_indices(dynamic, len(rows))
    places, strings = dynamic.elf.format.symbol_order, dynamic.strings
    found = []
    for row, index in zip(rows, indices, strict=True):
        name, info, other, section, value, size = [row[place] for place in places]
        binding, kind = _BINDINGS.get(info >> 4), kind_of(info)
        if (
            section == _UNDEFINED
            or binding is None
            or kind is None
            or other & 3 not in (_DEFAULT, _PROTECTED)
        ):
            continue
        if name >= len(strings):
            raise ElfError(f"{dynamic.elf.path} has a symbol whose name is outside the string table")
        version = versions.get(index & ~HIDDEN)
        label = text(strings[name : strings.find(b"\0", name)])
        if section == _ABSOLUTE and label == version:
            continue  # the name of a version, which stands for nothing
        default = version is None or not index & HIDDEN
        found.append(ExportedSymbol(label, version, default, kind, binding, info & 15 == _IFUNC, value, size))
    return found


def _rows(dynamic: Dynamic) -> list[tuple[int, ...]]:
    address = dynamic.value(DT_SYMTAB)
    if address is None:
        raise ElfError(f"{dynamic.elf.path} has no dynamic symbol table")
    elf = dynamic.elf
    size = struct.calcsize(elf.order + elf.format.symbol)
    count = _count(dynamic)
    return elf.unpack_all(elf.format.symbol, elf.source.read(elf.offset_of(address), count * size))


def _version_indices(dynamic: Dynamic, count: int) -> list[int]:
    address = dynamic.value(DT_VERSYM)
    if address is None:
        return [0] * count
    data = dynamic.elf.source.read(dynamic.elf.offset_of(address), 2 * count)
    return [row[0] for row in dynamic.elf.unpack_all("H", data)]


def _count(dynamic: Dynamic) -> int:
    """How many symbols there are, which only the hash tables say."""
    address = dynamic.value(DT_HASH)
    if address is not None:
        _, chains = dynamic.elf.unpack("II", dynamic.elf.offset_of(address))
        return chains
    address = dynamic.value(DT_GNU_HASH)
    if address is None:
        raise ElfError(f"{dynamic.elf.path} has no hash table of its symbols")
    return _gnu_count(dynamic, dynamic.elf.offset_of(address))


def _gnu_count(dynamic: Dynamic, offset: int) -> int:
    """One more than the last symbol of the last chain."""
    elf = dynamic.elf
    buckets, first, bloom, _ = elf.unpack("IIII", offset)
    table = offset + 16 + bloom * elf.format.word
    starts = [row[0] for row in elf.unpack_all("I", elf.source.read(table, 4 * buckets))]
    last = max(starts, default=0)
    if last < first:
        return first  # nothing is exported
    chain = table + 4 * buckets + 4 * (last - first)
    # The last chain is the rest of the table; its end has the lowest bit set.
    available = (elf.source.size - chain) // 4
    step = 256
    while available > 0:
        part = elf.unpack_all("I", elf.source.read(chain, 4 * min(step, available)))
        for (value,) in part:
            last += 1
            if value & 1:
                return last
        chain += 4 * len(part)
        available -= len(part)
    raise ElfError(f"{elf.path} has a hash table without an end")
