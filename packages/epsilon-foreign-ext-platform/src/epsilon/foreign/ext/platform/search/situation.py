"""What a search depends on: the process's architecture, environment, program, and the system's configuration."""

from __future__ import annotations

import _ctypes
import ctypes
import functools
import os
import struct
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..elf.architecture import Architecture
from ..elf.errors import ElfError
from ..elf.file import Elf
from . import cache
from .tokens import Tokens, split_path
from .verdict import LibraryFacts, caller_of

_RTLD_DI_SERINFO, _RTLD_DI_SERINFOSIZE = 4, 5
#: What loaders that do not say where they look have.
_USUAL = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
#: The machine numbers of processors, as `os.uname` names them, for where the program's file cannot be read.
_MACHINES = {"x86_64": 62, "aarch64": 183, "i686": 3, "i386": 3, "riscv64": 243, "ppc64le": 21, "s390x": 22}


class Situation(NamedTuple):
    """A process that looks for libraries, as far as the rules ask.

    `callers` are the object that calls dlopen and those that led to it being loaded, the nearest first; `loaded` the
    loader's names of what is loaded already; `defaults` gives the directories that are built into the loader.
    """

    architecture: Architecture
    environment: Mapping[str, str]
    first_environment: Callable[[], Mapping[str, str]]
    """As it was when the process began: the one that the loader has read."""
    callers: tuple[LibraryFacts, ...]
    loaded: tuple[str, ...]
    cache_path: str
    defaults: Callable[[], tuple[str, ...]]
    secure: bool
    """Does the process run with another's privileges, for whom the environment does not count?"""

    def expand(self, text: str, origin: str) -> str:
        """A path of an object in the folder `origin` with its tokens replaced."""
        if "$" not in text:
            return text
        defaults = self.defaults()
        return Tokens(origin, defaults[0].strip("/") if defaults else "lib", os.uname().machine).expand(text)

    def library_path(self, environment: Mapping[str, str]) -> list[str]:
        """The directories of LD_LIBRARY_PATH, for which the tokens are the program's."""
        listed = split_path(environment.get("LD_LIBRARY_PATH", ""), ":;")
        program = self.callers[-1].origin if self.callers else os.curdir
        return [] if self.secure else [self.expand(directory, program) for directory in listed]


def present(caller: str | None = None, loaded: tuple[str, ...] = ()) -> Situation:
    """The running process, with the library at `caller` as what calls dlopen; by default Python's own caller.

    Raises OSError and ElfError when `caller` cannot be read.
    """
    nearest = _facts(_python_caller())
    if caller is not None:
        with Elf.open(caller) as elf:
            nearest = caller_of(elf)
    architecture, program = _program()
    chain = {facts.path: facts for facts in (nearest, program) if facts is not None}
    return Situation(
        architecture,
        os.environ,
        first_environment,
        tuple(chain.values()),
        loaded,
        cache.PATH,
        default_directories,
        os.getuid() != os.geteuid() or os.getgid() != os.getegid(),
    )


@functools.cache
def _program() -> tuple[Architecture, LibraryFacts | None]:
    """The program of this process: what it is for, and what it asks of the loader (nothing where it is static)."""
    architecture = Architecture(struct.calcsize("P") * 8, sys.byteorder, _MACHINES.get(os.uname().machine, 0))
    try:
        with Elf.open("/proc/self/exe") as elf:  # which is there even where the file has been replaced
            architecture = elf.architecture
            return architecture, caller_of(elf)._replace(path=os.readlink("/proc/self/exe"))
    except ElfError:
        return architecture, None
    except OSError:
        return architecture, _facts(os.path.realpath(sys.executable))


def _python_caller() -> str | None:
    """The object from which layer 1 calls dlopen."""
    return getattr(_ctypes, "__file__", None)


@functools.cache
def _facts(path: str | None) -> LibraryFacts | None:
    """What a file asks of the loader; None where it cannot be read or is static."""
    try:
        if path:
            with Elf.open(path) as elf:
                return caller_of(elf)
    except (OSError, ElfError):
        pass
    return None


@functools.cache
def default_directories() -> tuple[str, ...]:
    """The directories that the loader looks into last.

    It lists all that it looks into (dlinfo(3)); what is left are its own when those of the program and of the
    environment are taken away. Where it does not tell, the usual ones.
    """
    try:
        listed = _listed()
    except (AttributeError, OSError):
        listed = []
    _, program = _program()
    others = [] if program is None else split_path(program.rpath or "") + split_path(program.runpath or "")
    others += split_path(first_environment().get("LD_LIBRARY_PATH", ""), ":;")
    taken = {os.path.normpath(_simply(directory, program)) for directory in others}
    return tuple(directory for directory in listed if directory not in taken) or _USUAL


def _simply(directory: str, program: LibraryFacts | None) -> str:
    return Tokens("" if program is None else program.origin, "lib", os.uname().machine).expand(directory)


@functools.cache
def first_environment() -> Mapping[str, str]:
    """The environment as it was when the process began, which is the one that the loader has read."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = [entry.partition("=") for entry in os.fsdecode(file.read()).split("\0")]
    except OSError:
        return os.environ
    return {name: value for name, _, value in pairs}


class _Path(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("flags", ctypes.c_uint))


class _Paths(ctypes.Structure):
    _fields_ = (("size", ctypes.c_size_t), ("count", ctypes.c_uint), ("paths", _Path * 1))


#: Of one path: a type for arrays of them takes longer to make than all else here.
_ROW = ctypes.sizeof(_Path)


def _listed() -> list[str]:
    process = ctypes.CDLL(None)
    handle = ctypes.c_void_p(process._handle)
    paths = _Paths()
    if process.dlinfo(handle, _RTLD_DI_SERINFOSIZE, ctypes.byref(paths)):
        return []
    memory = ctypes.create_string_buffer(paths.size)
    ctypes.memmove(memory, ctypes.byref(paths), _Paths.paths.offset)
    if process.dlinfo(handle, _RTLD_DI_SERINFO, memory):
        return []
    rows = struct.iter_unpack("@PI0P", memory.raw[_Paths.paths.offset : _Paths.paths.offset + paths.count * _ROW])
    return [os.path.normpath(os.fsdecode(ctypes.string_at(name))) for name, _ in rows if name]
