"""The libraries that are loaded in this process, with their segments and build ids."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import NamedTuple

from ..elf.errors import ElfError
from ..elf.file import FORMATS, MAGIC, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE, Elf, Segment
from ..elf.notes import build_id
from .linkmap import LinkMap, link_maps
from .peek import OwnMemory, UnreadableError

_FORMAT = FORMATS[64 if sys.maxsize > 2**32 else 32]
_ORDER = "<" if sys.byteorder == "little" else ">"
_HEADER = struct.Struct(f"{_ORDER}16s{_FORMAT.header}")
_SEGMENT = struct.Struct(f"{_ORDER}{_FORMAT.segment}")
_AT_PHDR, _AT_PHNUM = 3, 5


class LoadedSegment(NamedTuple):
    """A part of a library in memory: where, how many bytes, and which of ``r``, ``w`` and ``x`` it was loaded with."""

    address: int
    size: int
    permissions: str

    def __contains__(self, address: object) -> bool:
        """Is an address in it?"""
        return isinstance(address, int) and self.address <= address < self.address + self.size


class LoadedLibrary(NamedTuple):
    """An object that the dynamic loader has loaded.

    `path` is the file, as it was when it was opened; None for what the kernel maps without one. `name` is what the
    loader calls it, empty for the program itself. `address` is where its first segment is, `bias` what was added to
    the addresses in the file. `build_id` is hexadecimal, None where the linker has put none. `namespace` is 0 for the
    ordinary one and counts those that `namespace` opens.
    """

    path: str | None
    name: str
    address: int
    bias: int
    segments: tuple[LoadedSegment, ...]
    build_id: str | None
    namespace: int

    def holds(self, address: int) -> bool:
        """Is an address in one of its segments?"""
        return any(address in segment for segment in self.segments)


def loaded_libraries() -> list[LoadedLibrary]:
    """Every library that is loaded in this process, the program first, then in the order of loading.

    No lock is held and no code of the libraries runs; a library that is loaded or closed meanwhile may or may not be
    listed. Raises UnsupportedPlatformError where the C library does not show what is loaded, PlatformError when the
    list never holds still.
    """
    with OwnMemory() as memory:
        return [_describe(memory, each, is_program=not index) for index, each in enumerate(link_maps(memory))]


def loaded_names() -> list[str]:
    """The loader's names of what is loaded in the ordinary namespace: mostly paths. Raises as `loaded_libraries`."""
    with OwnMemory() as memory:
        return [each.name for each in link_maps(memory) if not each.namespace and each.name]


def _describe(memory: OwnMemory, each: LinkMap, *, is_program: bool) -> LoadedLibrary:
    path = _path(each.name, is_program=is_program)
    headers = _headers(memory, each, path, is_program=is_program)
    segments = tuple(
        LoadedSegment(each.bias + header.address, header.memory_size, _permissions(header.flags))
        for header in headers
        if header.type == PT_LOAD
    )
    address = min((segment.address for segment in segments), default=each.bias)
    return LoadedLibrary(
        path, each.name, address, each.bias, segments, _build_id(memory, each, headers), each.namespace
    )


def _path(name: str, *, is_program: bool) -> str | None:
    if is_program and not name:
        try:
            return os.readlink("/proc/self/exe")
        except OSError:
            return sys.executable or None
    if "/" not in name:
        return None  # the kernel's vdso
    return name if name.startswith("/") else os.path.abspath(name)


def _headers(memory: OwnMemory, each: LinkMap, path: str | None, *, is_program: bool) -> list[Segment]:
    """The program headers: from memory, or from the file where they are not in memory."""
    try:
        if is_program and (found := _program_headers(memory)):
            return found
        fields = _HEADER.unpack(memory.read(each.bias, _HEADER.size))
        if fields[0].startswith(MAGIC):
            return _read_headers(memory, each.bias + fields[5], fields[10])
    except UnreadableError:
        pass
    try:
        if path is not None:
            with Elf.open(path) as elf:
                return elf.segments
    except (OSError, ElfError):
        pass
    return []


def _program_headers(memory: OwnMemory) -> list[Segment]:
    """Those of the program, which the kernel has told the loader (getauxval(3))."""
    try:
        auxiliary = ctypes.CDLL(None).getauxval
    except AttributeError:
        return []
    auxiliary.argtypes, auxiliary.restype = [ctypes.c_ulong], ctypes.c_ulong
    address, count = auxiliary(_AT_PHDR), auxiliary(_AT_PHNUM)
    return _read_headers(memory, address, count) if address else []


def _read_headers(memory: OwnMemory, address: int, count: int) -> list[Segment]:
    data = memory.read(address, count * _SEGMENT.size)
    order = _FORMAT.segment_order
    return [Segment(*[row[place] for place in order]) for row in _SEGMENT.iter_unpack(data)]


def _permissions(flags: int) -> str:
    letters = (("r", PF_R), ("w", PF_W), ("x", PF_X))
    return "".join(letter if flags & bit else "-" for letter, bit in letters)


def _build_id(memory: OwnMemory, each: LinkMap, headers: list[Segment]) -> str | None:
    for header in headers:
        if header.type == PT_NOTE:
            try:
                data = memory.read(each.bias + header.address, header.memory_size)
            except UnreadableError:
                continue
            if found := build_id(data, _ORDER, header.alignment):
                return found
    return None
