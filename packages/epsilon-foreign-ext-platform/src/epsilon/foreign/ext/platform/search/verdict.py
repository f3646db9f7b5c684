"""What a file is to the dynamic loader: a library with needs, or something it would refuse, and why."""

from __future__ import annotations

import os
from typing import NamedTuple

from epsilon.foreign.runtime import linker_script_targets

from ..elf.architecture import LINUX, SYSTEMS, Architecture
from ..elf.dynamic import DF_1_NOOPEN, DF_1_PIE, Dynamic
from ..elf.errors import ElfError
from ..elf.file import ET_CORE, ET_DYN, ET_EXEC, ET_REL, Elf
from ..elf.versions import Needed, defined_versions, needed_versions

_TYPES = {ET_REL: "an object file", ET_EXEC: "an executable", ET_CORE: "a core dump"}
#: How files that are no ELF begin.
_OTHERS = {
    b"!<arch>\n": "a static archive",
    b"!<thin>\n": "a static archive",
    b"MZ": "a Windows program or DLL",
    b"\xcf\xfa\xed\xfe": "a Mach-O file, which is macOS's format",
    b"\xce\xfa\xed\xfe": "a Mach-O file, which is macOS's format",
    b"\xca\xfe\xba\xbe": "a universal Mach-O file, which is macOS's format",
    b"\0asm": "a WebAssembly module",
}
_BEGINNING = 512


class RefusedError(Exception):
    """The loader would not take a file; the message says why and does not name the file."""

    def __init__(self, reason: str, *, instead: list[str] | None = None, passed_over: bool = False) -> None:
        super().__init__(reason)
        self.instead = instead or []
        """The libraries that a linker script stands for."""
        self.passed_over = passed_over
        """Does the loader look further, as it does for other architectures, or give up?"""


class LibraryFacts(NamedTuple):
    """What the loader learns from a library before it maps it."""

    path: str
    soname: str | None
    needed: list[str]
    rpath: str | None
    runpath: str | None
    flags: int
    versions: list[Needed]

    @property
    def origin(self) -> str:
        """The folder that ``$ORIGIN`` stands for: that of the file, links followed in none but the folder's name."""
        return os.path.dirname(os.path.abspath(self.path))


def examine(path: str, wanted: Architecture) -> LibraryFacts:
    """The facts of a library that a process of the architecture `wanted` may load.

    Raises RefusedError for anything else, whatever is wrong with the file.
    """
    try:
        with Elf.open(path) as elf:
            return _examine(elf, wanted)
    except OSError as error:
        raise RefusedError(error.strerror or str(error)) from None
    except ElfError as error:
        raise _not_elf(path) or RefusedError(_without(path, str(error))) from None


def _examine(elf: Elf, wanted: Architecture) -> LibraryFacts:
    if elf.architecture != wanted:
        reason = f"wrong architecture: it is {elf.architecture}, this process is {wanted}"
        raise RefusedError(reason, passed_over=True)
    if elf.system not in LINUX:
        raise RefusedError(f"it is for {SYSTEMS.get(elf.system, f'system {elf.system}')}, not for Linux")
    if elf.type != ET_DYN:
        raise RefusedError(
            f"it is {_TYPES.get(elf.type, f'an ELF file of type {elf.type}')}, not a shared library"
        )
    elf.check_complete()
    facts = facts_of(elf)
    if facts.flags & DF_1_PIE:
        raise RefusedError("it is a position-independent executable, not a shared library")
    if facts.flags & DF_1_NOOPEN:
        raise RefusedError("it is marked as not to be opened by dlopen")
    return facts


def facts_of(elf: Elf) -> LibraryFacts:
    """The facts of an executable or a library, whatever it is for. Raises ElfError."""
    dynamic = Dynamic(elf)
    return caller_of(elf, dynamic)._replace(
        soname=dynamic.soname, needed=dynamic.needed, versions=needed_versions(dynamic)
    )


def caller_of(elf: Elf, dynamic: Dynamic | None = None) -> LibraryFacts:
    """What counts of an object in whose name libraries are looked for. Raises ElfError."""
    dynamic = dynamic or Dynamic(elf)
    return LibraryFacts(elf.path, None, [], dynamic.rpath, dynamic.runpath, dynamic.flags_1, [])


def versions_in(path: str) -> frozenset[str]:
    """The symbol versions that a library defines; none where it has none or cannot be read."""
    try:
        with Elf.open(path) as elf:
            return frozenset(defined_versions(Dynamic(elf)).values())
    except (OSError, ElfError):
        return frozenset()


def _not_elf(path: str) -> RefusedError | None:
    """Why a file is no ELF file; None when it is one, with something else wrong."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return None
    if not beginning:
        return RefusedError("the file is empty")
    if beginning.startswith(b"\x7fELF"):
        return None
    for start, kind in _OTHERS.items():
        if beginning.startswith(start):
            return RefusedError(f"it is {kind}")
    if targets := linker_script_targets(path):
        return RefusedError(f"it is a linker script for {', '.join(targets)}", instead=targets)
    return RefusedError("it is a text file" if _is_text(beginning) else "it is no ELF file")


def _is_text(data: bytes) -> bool:
    try:
        return b"\0" not in data and bool(data.decode())
    except UnicodeDecodeError as error:
        # A character that the reading cut in two is still text.
        return error.start > len(data) - 4 and len(data) == _BEGINNING and b"\0" not in data


def _without(path: str, message: str) -> str:
    return f"it{message.removeprefix(path)}" if message.startswith(path) else message
