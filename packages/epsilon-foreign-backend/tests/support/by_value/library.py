"""Compiles the library and looks into it."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import struct
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from epsilon.foreign.backend import loader

from .described import Described, describe
from .keeping import kept
from .prototypes import Prototype, drawn, prototypes
from .source import c_source

FLAGS = ("-std=gnu11", "-O1", "-shared", "-fPIC", "-w")
_MASK = (1 << 64) - 1


class ByValueLibrary:
    """The compiled functions over the aggregates of `count` seeds."""

    def __init__(self, path: Path, made: list[Prototype]) -> None:
        self._handle = loader.dlopen(str(path))
        self.prototypes = made
        self.address_of = cache(lambda symbol: loader.dlsym(self._handle, symbol))
        self._described: dict[str, Described] = {}

    def described(self, prototype: Prototype) -> Described:
        """The aggregate of a prototype."""
        found = self._described.get(prototype.type.name)
        if found is None:
            found = self._described[prototype.type.name] = describe(prototype.type, self.address_of)
        return found

    def prepare(self, described: Described) -> None:
        """Tell C which bits to sum up and which to flip."""
        ctypes.memmove(self.address_of("value_bits"), described.value_bits, len(described.value_bits))
        ctypes.memmove(self.address_of("change"), described.change, len(described.change))

    @property
    def sum(self) -> int:
        """The checksum of what arrived at the last call."""
        return ctypes.c_uint64.from_address(self.address_of("sum")).value


def compiled(folder: Path, count: int, seed: int, attribute: str = "") -> ByValueLibrary | str:
    """The library with the aggregates of seeds `seed` on, compiled by $CC or cc; or why there is none.

    `attribute` is that of the functions, such as their calling convention's.
    """
    command = shlex.split(os.environ.get("CC") or "cc")
    if not shutil.which(command[0]):
        return f"no C compiler {command[0]!r}"
    made = [prototype for type in drawn(count, seed) for prototype in prototypes(type, seed)]
    source = c_source(made, attribute)

    def make(out: Path) -> None:
        text = folder / "by_value.c"
        text.write_text(source)
        done = subprocess.run(
            [*command, *FLAGS, "-o", str(out), str(text)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{text} does not compile:\n{done.stderr[:4000]}")

    return ByValueLibrary(kept(source, [*command, *FLAGS], make), made)


def checksum(arrived: Iterable[bytes | int | float]) -> int:
    """C's sum of aggregates (their values' bits), integers and floating numbers."""
    total = 14695981039346656037
    for value in arrived:
        if isinstance(value, int):
            value = struct.pack("=Q", value & _MASK)
        elif isinstance(value, float):
            value = struct.pack("=d", value)
        for byte in value:
            total = (total ^ byte) * 1099511628211 & _MASK
    return total
