"""The dynamic section: what a library needs, where it has it looked for, and where its tables are.

The generic ABI's "Dynamic Section" (https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html) with the GNU
tags of elf.h. Tables are found through segments alone, as the loader does it: section headers may be stripped.
"""

from __future__ import annotations

from .errors import ElfError
from .file import PT_DYNAMIC, Elf

DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SONAME, DT_RPATH = 1, 4, 5, 6, 10, 14, 15
DT_RUNPATH, DT_GNU_HASH, DT_VERSYM = 29, 0x6FFFFEF5, 0x6FFFFFF0
DT_FLAGS_1, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = (
    0x6FFFFFFB,
    0x6FFFFFFC,
    0x6FFFFFFD,
    0x6FFFFFFE,
    0x6FFFFFFF,
)
DF_1_NOOPEN, DF_1_NODEFLIB, DF_1_PIE = 0x40, 0x800, 0x08000000


class Dynamic:
    """The dynamic section of an ELF file, which must stay open while it is read.

    Raises ElfError where it is missing or refers to what is not there.
    """

    def __init__(self, elf: Elf) -> None:
        segment = elf.first(PT_DYNAMIC)
        if segment is None:
            raise ElfError(f"{elf.path} has no dynamic section: it is statically linked")
        self.elf = elf
        self._strings: bytes | None = None
        self._entries: dict[int, list[int]] = {}
        for tag, value in elf.unpack_all(elf.format.dynamic, elf.contents(segment)):
            if tag == 0:
                break
            self._entries.setdefault(tag, []).append(value)

    def value(self, tag: int) -> int | None:
        """The value of the last entry with a tag, which is the one that loaders take."""
        values = self._entries.get(tag)
        return values[-1] if values else None

    @property
    def strings(self) -> bytes:
        """The string table."""
        if self._strings is None:
            self._strings = self._read_strings()
        return self._strings

    def _read_strings(self) -> bytes:
        address, size = self.value(DT_STRTAB), self.value(DT_STRSZ)
        if address is None or size is None:
            raise ElfError(f"{self.elf.path} has no dynamic string table")
        return self.elf.source.read(self.elf.offset_of(address), size)

    def string(self, offset: int) -> str:
        """The string at an offset of the string table."""
        strings = self.strings
        end = strings.find(b"\0", offset)
        if offset < 0 or end < 0:  # an offset beyond the table finds nothing either
            raise ElfError(f"{self.elf.path} refers to string {offset} of a table of {len(strings)} bytes")
        return strings[offset:end].decode("utf-8", "surrogateescape")

    @property
    def needed(self) -> list[str]:
        """The libraries it needs (DT_NEEDED), in order."""
        return [self.string(offset) for offset in self._entries.get(DT_NEEDED, ())]

    def _one(self, tag: int) -> str | None:
        offset = self.value(tag)
        return None if offset is None else self.string(offset)

    @property
    def soname(self) -> str | None:
        """The name by which others need it (DT_SONAME)."""
        return self._one(DT_SONAME)

    @property
    def rpath(self) -> str | None:
        """Where its libraries and theirs are looked for first (DT_RPATH); a DT_RUNPATH beside it replaces it."""
        return None if DT_RUNPATH in self._entries else self._one(DT_RPATH)

    @property
    def runpath(self) -> str | None:
        """Where the libraries that it needs itself are looked for (DT_RUNPATH)."""
        return self._one(DT_RUNPATH)

    @property
    def flags_1(self) -> int:
        """The DF_1_* flags."""
        return self.value(DT_FLAGS_1) or 0
