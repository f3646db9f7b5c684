"""``/etc/ld.so.cache``: the libraries that ldconfig(8) found, in both of its formats.

The old format has its entries first; a file of both begins with the old one and has the new one after it. The new one
alone is what C libraries write since 2.32. Each entry has flags, and two offsets of strings: a file name and a path.
An entry of a new file may say for which processors it is (glibc-hwcaps; ld.so(8), "Hardware capabilities"). The format
is that of the C library's ``sysdeps/generic/dl-cache.h``.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..errors import PlatformError

PATH = "/etc/ld.so.cache"
OLD_MAGIC = b"ld.so-1.7.0\0"
NEW_MAGIC = b"glibc-ld.so.cache1.1"
#: No distribution's cache comes near; bytes.
LARGEST = 64 * 1024 * 1024

_OLD_HEADER, _OLD_ENTRY = struct.Struct("=12sI"), struct.Struct("=iII")
#: Magic, number of entries, size of the strings, byte order, padding, where the extensions are, unused.
_NEW_HEADER = struct.Struct("=20sIIB3xI12x")
#: Flags, name, path, oldest system, what the processor must have.
_NEW_ENTRY = struct.Struct("=iIIIQ")
_ORDERS = {2: "little", 3: "big"}

_EXTENSIONS_MAGIC = 0xEAA42174
_EXTENSION = struct.Struct("=IIII")
_HWCAPS_TAG = 1
_HWCAPS_MARK = 1 << 62


class CacheError(PlatformError, ValueError):
    """The cache of the dynamic loader is corrupted, or has a format that is not known."""


class CacheEntry(NamedTuple):
    """A library that ldconfig found; `hwcaps` is the subdirectory of glibc-hwcaps that it is for."""

    name: str
    path: str
    flags: int
    hwcaps: str | None


class LoaderCache:
    """A cache that was read. Raises CacheError for one that makes no sense."""

    def __init__(self, data: bytes, name: str = PATH) -> None:
        self.name = name
        self._data = data
        self._strings_at = 0
        self._layout = _NEW_ENTRY
        self._first = self._count = 0
        self._hwcaps: list[str] = []
        self._names: list[int] | None = None
        if data.startswith(OLD_MAGIC):
            self._read_old()
        elif data.startswith(NEW_MAGIC):
            self._read_new(0)
        else:
            raise CacheError(f"{name} is no cache of the dynamic loader")

    @classmethod
    def read(cls, path: str = PATH) -> LoaderCache:
        """Read a file. Raises OSError, CacheError."""
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise CacheError(f"{path} has more than {LARGEST} bytes")
        return cls(data, path)

    def __len__(self) -> int:
        """How many entries there are."""
        return self._count

    def entries(self) -> list[CacheEntry]:
        """All entries, in the order of the file. Raises CacheError."""
        return [self._entry(index) for index in range(self._count)]

    def mentions(self, directory: str) -> bool:
        """Is any of the libraries in that directory?"""
        return b"\0" + os.fsencode(directory) + b"/" in self._data

    def matching(self, stems: Iterable[str], choose: Callable[[list[str]], list[str]]) -> list[CacheEntry]:
        """The entries whose names begin with one of `stems`, those that `choose` keeps, in its order.

        Entries of one name stay in the order of the file, which is from the most special one down. Raises CacheError.
        """
        found: dict[str, list[CacheEntry]] = {}
        for index in self._indices(stem.encode("utf-8", "surrogateescape") for stem in stems):
            entry = self._entry(index)
            found.setdefault(entry.name, []).append(entry)
        return [entry for name in choose(list(found)) for entry in found[name]]

    def _indices(self, prefixes: Iterable[bytes]) -> list[int]:
        """Where entries are whose names begin so.

        The bytes are searched for the prefixes first, and the table for the offsets found: both at C's speed.
        """
        offsets: set[int] = set()
        for prefix in prefixes:
            at = self._data.find(prefix, self._strings_at)
            while prefix and at >= 0:
                offsets.add(at - self._strings_at)
                at = self._data.find(prefix, at + 1)
        if not offsets:
            return []
        if self._names is None:
            size = self._layout.size
            table = memoryview(self._data)[self._first : self._first + self._count * size].cast("I")
            self._names = table[1 :: size // 4].tolist()
        return [index for index, name in enumerate(self._names) if name in offsets]

    def _entry(self, index: int) -> CacheEntry:
        fields = self._layout.unpack_from(self._data, self._first + index * self._layout.size)
        hwcap = fields[4] if len(fields) > 4 else 0
        return CacheEntry(self._string(fields[1]), self._string(fields[2]), fields[0], self._hwcaps_of(hwcap))

    def _hwcaps_of(self, hwcap: int) -> str | None:
        if not hwcap:
            return None
        if not hwcap & _HWCAPS_MARK:
            return "legacy"  # for a processor that the C library no longer tells from others
        index = hwcap & 0xFFFFFFFF
        if index >= len(self._hwcaps):
            raise CacheError(f"{self.name} refers to glibc-hwcaps entry {index} of {len(self._hwcaps)}")
        return self._hwcaps[index]

    def _string(self, offset: int) -> str:
        at = self._strings_at + offset
        end = self._data.find(b"\0", at)
        if at >= len(self._data) or end < 0:
            raise CacheError(f"{self.name} refers to a string beyond its end, at byte {at}")
        return self._data[at:end].decode("utf-8", "surrogateescape")

    def _read_old(self) -> None:
        _, count = self._unpack(_OLD_HEADER, 0)
        end = _OLD_HEADER.size + count * _OLD_ENTRY.size
        self._check_table(count, end)
        new = -(-end // 8) * 8
        if self._data.startswith(NEW_MAGIC, new):
            self._read_new(new)
            return
        self._layout, self._first, self._count, self._strings_at = _OLD_ENTRY, _OLD_HEADER.size, count, end

    def _read_new(self, start: int) -> None:
        _, count, strings, order, extensions = self._unpack(_NEW_HEADER, start)
        if _ORDERS.get(order & 3, sys.byteorder) != sys.byteorder:
            raise CacheError(f"{self.name} was written for a processor of the other byte order")
        first = start + _NEW_HEADER.size
        end = first + count * _NEW_ENTRY.size
        self._check_table(count, end)
        self._check_table(count, end + strings)
        self._first, self._count, self._strings_at = first, count, start
        if extensions:
            self._read_extensions(start + extensions)

    def _read_extensions(self, at: int) -> None:
        magic, count = self._unpack(struct.Struct("=II"), at)
        if magic != _EXTENSIONS_MAGIC:
            raise CacheError(f"{self.name} has no extensions where its header says they are")
        self._check_table(count, at + 8 + count * _EXTENSION.size)
        for index in range(count):
            tag, _, offset, size = self._unpack(_EXTENSION, at + 8 + index * _EXTENSION.size)
            if tag == _HWCAPS_TAG:
                self._check_table(size // 4, self._strings_at + offset + size)
                names = struct.unpack_from(f"={size // 4}I", self._data, self._strings_at + offset)
                self._hwcaps = [self._string(name) for name in names]

    def _unpack(self, layout: struct.Struct, at: int) -> tuple[int, ...]:
        self._check_table(1, at + layout.size)
        return layout.unpack_from(self._data, at)

    def _check_table(self, count: int, end: int) -> None:
        if end > len(self._data):
            raise CacheError(
                f"{self.name} is truncated: a table of {count} ends at byte {end}, the file at {len(self._data)}"
            )
