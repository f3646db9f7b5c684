"""The names of the functions that a crash's frames are in: from the file's symbol table, or from what it exports."""

from __future__ import annotations

import bisect
import functools
import os
from typing import NamedTuple

from ..elf.dynamic import Dynamic
from ..elf.errors import ElfError
from ..elf.file import PT_LOAD, Elf, text
from ..elf.symbols import exported, kind_of
from .backtrace import RawFrame

_SHT_SYMTAB = 2


class Frame(NamedTuple):
    """A C frame: the function, how far into it in bytes, the file that it is in; what is unknown is "" or 0."""

    address: int
    function: str
    offset: int
    library: str

    def __str__(self) -> str:
        place = f"{self.function}+{self.offset:#x}" if self.function else f"{self.address:#x}"
        return f"{place} in {os.path.basename(self.library)}" if self.library else place


class _Function(NamedTuple):
    address: int
    size: int
    name: str


class _Table(NamedTuple):
    """The functions of a file by address, and where its segments are: offset in the file, size, address."""

    functions: list[_Function]
    segments: list[tuple[int, int, int]]


def named(frame: RawFrame, *, returns: bool = False) -> Frame:
    """A frame with the function's name, where the file tells it. `returns`: it is a return address, which may lie
    behind the end of the function that it is of."""
    plain = Frame(frame.address, "", 0, frame.path)
    if not frame.path.startswith("/"):
        return plain
    try:
        status = os.stat(frame.path)
        table = _table(frame.path, status.st_mtime_ns, status.st_size)
    except (OSError, ElfError):
        return plain
    place = frame.offset - returns
    for start, size, address in table.segments:
        if start <= place < start + size:
            found = _function(table.functions, place - start + address)
            if found is not None:
                return plain._replace(
                    function=found.name, offset=frame.offset - start + address - found.address
                )
    return plain


def _function(functions: list[_Function], address: int) -> _Function | None:
    position = bisect.bisect_right(functions, address, key=lambda each: each.address) - 1
    if position < 0:
        return None
    found = functions[position]
    return found if not found.size or address < found.address + found.size else None


@functools.lru_cache(maxsize=32)
def _table(path: str, modified: int, size: int) -> _Table:
    """What is known of a file, which is read again when it has changed. Raises ElfError, OSError."""
    with Elf.open(path) as elf:
        segments = [(s.offset, s.file_size, s.address) for s in elf.segments if s.type == PT_LOAD]
        functions = _all(elf)
        if not functions:
            found = exported(Dynamic(elf))
            functions = [_Function(s.address, s.size, s.name) for s in found if s.kind == "function"]
    return _Table(sorted(functions), segments)


def _all(elf: Elf) -> list[_Function]:
    """The functions of the symbol table proper, which most installed libraries have been stripped of."""
    if not elf.sections_at or not elf.section_count:
        return []
    data = elf.source.read(elf.sections_at, elf.section_count * elf.section_size)
    sections = elf.unpack_all(elf.format.section, data)
    functions = []
    for _, type, _, _, offset, size, link, *_ in sections:
        if type != _SHT_SYMTAB or link >= len(sections):
            continue
        strings = elf.source.read(sections[link][4], sections[link][5])
        for row in elf.unpack_all(elf.format.symbol, elf.source.read(offset, size)):
            name, info, _, section, value, length = [row[place] for place in elf.format.symbol_order]
            if section and kind_of(info) == "function":
                functions.append(_Function(value, length, text(strings[name : strings.find(b"\0", name)])))
    return functions
