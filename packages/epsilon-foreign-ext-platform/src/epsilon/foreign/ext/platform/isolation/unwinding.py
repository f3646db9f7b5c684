"""Call frame information: how to find a function's caller, from the tables that compilers put into every library.

DWARF 5, 6.4 (https://dwarfstd.org/doc/DWARF5.pdf), in the form of the Linux Standard Base's "Exception Frames"
(https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/ehframechpt.html). What is read is the
memory of a process that has crashed, so anything may be wrong: then `UnwindError` says that nothing is known.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Callable
from typing import NamedTuple

#: Reads as much as there is of some bytes.
Read = Callable[[int, int], bytes]

_PT_LOAD, _PT_GNU_EH_FRAME = 1, 0x6474E550
_ABSENT = 0xFF
#: Encodings of pointers (LSB "DWARF Exception Header Encoding"): the format, and what it counts from.
_FORMATS = {0x00: "Q", 0x02: "H", 0x03: "I", 0x04: "Q", 0x0A: "h", 0x0B: "i", 0x0C: "q"}
_RELATIVE = 0x70
_PC_RELATIVE, _DATA_RELATIVE = 0x10, 0x30
#: The only table that is searched by halving: pairs of 32-bit offsets from the header.
_SORTED = 0x3B
#: More than any function's description takes.
_MOST_BYTES = 64 * 1024


class UnwindError(Exception):
    """Nothing is known about an address."""


class Cursor:
    """Reads encoded numbers from some bytes, which begin at `base` in the process."""

    def __init__(self, content: bytes, base: int, place: int = 0) -> None:
        self.content = content
        self.base = base
        self.place = place

    def take(self, format: str) -> int:
        """One number of a `struct` format."""
        size = struct.calcsize("=" + format)
        try:
            (value,) = struct.unpack_from("=" + format, self.content, self.place)
        except struct.error:
            raise UnwindError("a table ends too early") from None
        self.place += size
        return int(value)

    def leb(self, *, signed: bool = False) -> int:
        """A LEB128 number (DWARF 5, 7.6)."""
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
            if shift > 70:
                raise UnwindError("a number without an end")
        return value - (1 << shift) if signed and byte & 0x40 else value

    def pointer(self, encoding: int, data: int = 0) -> int:
        """A pointer in one of the encodings; `data` is what data-relative ones count from."""
        here = self.base + self.place
        format = _FORMATS.get(encoding & 0x0F)
        if format is None:
            raise UnwindError(f"pointers are encoded as {encoding:#x}")
        value = self.take(format)
        relative = encoding & _RELATIVE
        if relative == _PC_RELATIVE:
            value += here
        elif relative == _DATA_RELATIVE:
            value += data
        return value & (1 << 64) - 1


class Common(NamedTuple):
    """A common information entry: what the functions of one compilation share."""

    code: int
    data: int
    returns: int
    encoding: int
    augmented: bool
    signal: bool
    program: bytes


class Function(NamedTuple):
    """A frame description entry: where a function is, and the program that describes its frame."""

    start: int
    end: int
    program: bytes
    common: Common


class Tables:
    """The call frame information of one loaded file, whose first page is at `base`. Raises UnwindError."""

    def __init__(self, read: Read, base: int) -> None:
        self._read = read
        self._header = _header(read, base)
        content = read(self._header, 4)
        if len(content) < 4 or content[0] != 1 or content[3] != _SORTED or content[2] == _ABSENT:
            raise UnwindError("no sorted table")
        cursor = Cursor(read(self._header, 32), self._header, 4)
        cursor.pointer(content[1], self._header)
        count = cursor.pointer(content[2], self._header)
        size = min(count, 1 << 20) * 8
        rows = read(self._header + cursor.place, size)
        self._rows = list(struct.iter_unpack("=ii", rows[: len(rows) // 8 * 8]))

    def function(self, address: int) -> Function:
        """The function that an address is in."""
        position = bisect.bisect_right(self._rows, address - self._header, key=lambda row: row[0]) - 1
        if position < 0:
            raise UnwindError("before every function")
        entry = self._header + self._rows[position][1]
        content, base = self._entry(entry)
        cursor = Cursor(content, base)
        common = self._common(base - cursor.take("I"))
        start = cursor.pointer(common.encoding)
        length = cursor.pointer(common.encoding & 0x0F)
        if common.augmented:
            cursor.place += cursor.leb()
        if not start <= address < start + length:
            raise UnwindError("between two functions")
        return Function(start, start + length, content[cursor.place :], common)

    def _entry(self, address: int) -> tuple[bytes, int]:
        """The content of an entry, after its length, and where that begins."""
        (size,) = struct.unpack("=I", self._read(address, 4).ljust(4, b"\0"))
        if not 4 < size <= _MOST_BYTES:
            raise UnwindError(f"an entry of {size} bytes")
        return self._read(address + 4, size), address + 4

    def _common(self, address: int) -> Common:
        content, base = self._entry(address)
        cursor = Cursor(content, base)
        if cursor.take("I") != 0:
            raise UnwindError("not a common information entry")
        version = cursor.take("B")
        end = content.find(b"\0", cursor.place)
        letters = content[cursor.place : end].decode("ascii", "replace")
        cursor.place = end + 1
        code, data = cursor.leb(), cursor.leb(signed=True)
        returns = cursor.take("B") if version == 1 else cursor.leb()
        encoding, augmented = 0, letters.startswith("z")
        if augmented:
            length = cursor.leb()
            end = cursor.place + length
            for letter in letters[1:]:
                if letter == "R":
                    encoding = cursor.take("B")
                elif letter == "L":
                    cursor.take("B")
                elif letter == "P":
                    cursor.pointer(cursor.take("B"))
                elif letter not in "SB":
                    break
            cursor.place = end
        return Common(code, data, returns, encoding, augmented, "S" in letters, content[cursor.place :])


def _header(read: Read, base: int) -> int:
    """Where the header of the sorted table is: it has a segment of its own."""
    start = read(base, 64)
    if len(start) < 64 or start[:5] != b"\x7fELF\x02":
        raise UnwindError("no 64-bit ELF file")
    (table,) = struct.unpack_from("=Q", start, 32)
    size, count = struct.unpack_from("=HH", start, 54)
    segments = read(base + table, size * count)
    bias, header = None, None
    for place in range(0, len(segments) - 55, size or 56):
        kind, _, _, address = struct.unpack_from("=IIQQ", segments, place)
        if kind == _PT_LOAD and bias is None:
            bias = base - (address & -4096)
        elif kind == _PT_GNU_EH_FRAME:
            header = address
    if bias is None or header is None:
        raise UnwindError("no call frame information")
    return int(bias + header)
