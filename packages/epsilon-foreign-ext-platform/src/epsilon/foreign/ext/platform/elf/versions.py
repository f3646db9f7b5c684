"""Symbol versions: which ones a library defines, and which ones it needs of others.

"Symbol Versioning" in the Linux Standard Base
(https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html).
"""

from __future__ import annotations

from typing import NamedTuple

from .dynamic import DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM, Dynamic
from .errors import ElfError

VER_FLG_BASE, VER_FLG_WEAK = 1, 2
#: The bit of a symbol's version that hides it from those who ask for no version.
HIDDEN = 0x8000
#: More versions than this in one file mean a broken file.
MOST_VERSIONS = 65536


class Needed(NamedTuple):
    """A version that is needed of another library."""

    library: str
    version: str
    weak: bool


def defined_versions(dynamic: Dynamic) -> dict[int, str]:
    """The versions a file defines, by the index that its symbols have; that of the file itself is left out."""
    found: dict[int, str] = {}
    records = _Records(dynamic, DT_VERDEF, DT_VERDEFNUM)
    at = 0
    for _ in range(records.count):
        _, flags, index, _, _, first, following = records.unpack("HHHHIII", at)
        if not flags & VER_FLG_BASE:
            found[index] = dynamic.string(records.unpack("II", at + first)[0])
        if not following:
            break
        at += following
    return found


def needed_versions(dynamic: Dynamic) -> list[Needed]:
    """The versions a file needs of the libraries it needs."""
    found: list[Needed] = []
    records = _Records(dynamic, DT_VERNEED, DT_VERNEEDNUM)
    at = 0
    for _ in range(records.count):
        _, count, file, first, following = records.unpack("HHIII", at)
        _read_needed(dynamic, records, dynamic.string(file), at + first, count, found)
        if not following:
            break
        at += following
    return found


def _read_needed(
    dynamic: Dynamic, records: _Records, library: str, at: int, count: int, found: list[Needed]
) -> None:
    """Append what is needed of one library."""
    for _ in range(count):
        _, flags, _, name, following = records.unpack("IHHII", at)
        found.append(Needed(library, dynamic.string(name), bool(flags & VER_FLG_WEAK)))
        if len(found) > MOST_VERSIONS:
            raise ElfError(f"{dynamic.elf.path} needs more than {MOST_VERSIONS} versions")
        if not following:
            break
        at += following


class _Records:
    """Linked structures, each of which says how far the next one is; `count` of them, at offsets from the first."""

    def __init__(self, dynamic: Dynamic, table: int, counted: int) -> None:
        self._elf = elf = dynamic.elf
        address, self.count = dynamic.value(table), dynamic.value(counted) or 0
        if address is None:
            self.count = 0
        if self.count > MOST_VERSIONS:
            raise ElfError(f"{elf.path} has {self.count} version records")
        self._start = elf.offset_of(address) if address is not None and self.count else 0
        # Together they are rarely longer, and reading each on its own takes most of the time.
        self._data = elf.source.read(self._start, min(_TOGETHER, elf.source.size - self._start))

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        structure = self._elf.structure(layout)
        if at + structure.size <= len(self._data):
            return structure.unpack_from(self._data, at)
        return self._elf.unpack(layout, self._start + at)


_TOGETHER = 4096
