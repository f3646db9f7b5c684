"""An ELF file: its header and its segments.

The generic ABI's "ELF Header" and "Program Header"
(https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html, .../ch5.pheader.html).
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Self

from .architecture import Architecture
from .errors import ElfError
from .source import BytesSource, FileSource, Source

MAGIC = b"\x7fELF"
ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS = 1, 2, 3, 4, 7
PF_X, PF_W, PF_R = 1, 2, 4
#: More program headers than any loader accepts mean a broken file.
MOST_SEGMENTS = 4096
_IDENT = 16


class Segment(NamedTuple):
    """A program header: `file_size` bytes at `offset` appear at `address`, followed by zeros up to `memory_size`."""

    type: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int
    alignment: int


class Format(NamedTuple):
    """How the structures of one class are laid out, in `struct`'s terms; the byte order comes before."""

    header: str
    """What follows the identification: type, machine, version, entry, phoff, shoff, flags, ehsize, phentsize, phnum,
    shentsize, shnum, shstrndx."""
    segment: str
    segment_order: tuple[int, ...]
    """Where type, flags, offset, address, file size, memory size and alignment stand in a program header."""
    section: str
    """name, type, flags, address, offset, size, link, info, alignment, entry size."""
    dynamic: str
    """tag, value."""
    symbol: str
    symbol_order: tuple[int, ...]
    """Where name, info, other, section, value and size stand in a symbol."""
    word: int
    """The size of an address."""


FORMATS = {
    32: Format(
        "HHIIIIIHHHHHH", "IIIIIIII", (0, 6, 1, 2, 4, 5, 7), "10I", "iI", "IIIBBH", (0, 3, 4, 5, 1, 2), 4
    ),
    64: Format(
        "HHIQQQIHHHHHH",
        "IIQQQQQQ",
        (0, 1, 2, 3, 5, 6, 7),
        "IIQQQQIIQQ",
        "qQ",
        "IBBHQQ",
        (0, 1, 2, 3, 4, 5),
        8,
    ),
}


class Elf:
    """An open ELF file; a context manager that closes it.

    Raises ElfError for what is no ELF file, or whose header or segments cannot be; OSError when it cannot be opened.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        ident = source.read(0, _IDENT) if source.size >= _IDENT else b""
        if ident[:4] != MAGIC:
            raise ElfError(f"{source.name} is no ELF file")
        bits = {1: 32, 2: 64}.get(ident[4])
        if bits is None or ident[5] not in (1, 2):
            raise ElfError(f"{source.name} has an unknown class ({ident[4]}) or byte order ({ident[5]})")
        self.format = FORMATS[bits]
        self.order = "<" if ident[5] == 1 else ">"
        self._structures: dict[str, struct.Struct] = {}
        self._segments: list[Segment] | None = None
        header = self.unpack(self.format.header, _IDENT)
        self.type: int = header[0]
        #: For which system it is: EI_OSABI.
        self.system = ident[7]
        self.architecture = Architecture.of(ident, header[1])
        self._segments_at, self._sections_at = header[4], header[5]
        self._segment_size, self._segment_count = header[8], header[9]
        self.section_size, self.section_count = header[10], header[11]

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a file by path."""
        source = FileSource(path)
        try:
            return cls(source)
        except BaseException:
            source.close()
            raise

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "data") -> Self:
        """An ELF file that is in memory, as a file would be."""
        return cls(BytesSource(data, name))

    @property
    def path(self) -> str:
        """The path it was opened by."""
        return self.source.name

    @property
    def sections_at(self) -> int:
        """The offset of the section headers; 0 where there are none."""
        return self._sections_at

    def unpack(self, layout: str, offset: int) -> tuple[int, ...]:
        """Numbers at an offset in the file's byte order."""
        structure = self.structure(layout)
        return structure.unpack(self.source.read(offset, structure.size))

    def structure(self, layout: str) -> struct.Struct:
        """A structure in the file's byte order."""
        made = self._structures.get(layout)
        if made is None:
            made = self._structures[layout] = struct.Struct(self.order + layout)
        return made

    def unpack_all(self, layout: str, data: bytes) -> list[tuple[int, ...]]:
        """As many of the structure as `data` holds."""
        structure = self.structure(layout)
        return list(structure.iter_unpack(data[: len(data) // structure.size * structure.size]))

    @property
    def segments(self) -> list[Segment]:
        """The program headers. Raises ElfError."""
        if self._segments is None:
            self._segments = self._read_segments()
        return self._segments

    def _read_segments(self) -> list[Segment]:
        if not self._segment_count:
            return []
        if self._segment_size != struct.calcsize(self.order + self.format.segment):
            raise ElfError(f"{self.path} has program headers of {self._segment_size} bytes")
        if self._segment_count > MOST_SEGMENTS:
            raise ElfError(f"{self.path} has {self._segment_count} program headers")
        data = self.source.read(self._segments_at, self._segment_count * self._segment_size)
        places = self.format.segment_order
        return [
            Segment(*[row[place] for place in places]) for row in self.unpack_all(self.format.segment, data)
        ]

    def first(self, type: int) -> Segment | None:
        """The first segment of a type."""
        return next((segment for segment in self.segments if segment.type == type), None)

    def contents(self, segment: Segment) -> bytes:
        """What a segment has in the file. Raises ElfError where the file is truncated."""
        return self.source.read(segment.offset, segment.file_size)

    def offset_of(self, address: int) -> int:
        """Where in the file an address of the loaded segments is. Raises ElfError."""
        for segment in self.segments:
            if segment.type == PT_LOAD and 0 <= address - segment.address < segment.file_size:
                return segment.offset + address - segment.address
        raise ElfError(f"{self.path} refers to address {address:#x}, which none of its segments holds")

    @property
    def interpreter(self) -> str | None:
        """The dynamic loader that an executable asks for (PT_INTERP); None for a library."""
        segment = self.first(PT_INTERP)
        return None if segment is None else text(self.contents(segment))

    def check_complete(self) -> None:
        """Raise ElfError when a segment that is loaded ends beyond the file: the loader would map it and crash."""
        for segment in self.segments:
            if segment.type == PT_LOAD and segment.offset + segment.file_size > self.source.size:
                raise ElfError(
                    f"{self.path} is truncated: its segments end at byte {segment.offset + segment.file_size}, "
                    f"the file at {self.source.size}"
                )

    def close(self) -> None:
        """Close the file; what was read stays."""
        self.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def text(data: bytes) -> str:
    """The characters up to the first NUL, as file names are decoded."""
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
