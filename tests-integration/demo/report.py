"""What the parts of the demo share: how a result is shown, and what is raised when C and Python disagree."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Protocol

import epsilon.foreign.api as ffi


class Mismatch(Exception):
    """C gave another answer than Python."""


class Part(Protocol):
    """One library at work: a module of this folder."""

    TITLE: str
    LIBRARY: str | None
    """The short name of the library; None is the process, which has the C library in it."""

    @staticmethod
    def run(library: ffi.Library) -> Iterator[str]:
        """Use the library, and yield a line for everything done."""
        ...


def agree(what: str, ours: object, theirs: object) -> None:
    """Raises Mismatch when what C gave is not what Python says."""
    if ours != theirs:
        raise Mismatch(f"{what}: C says {_short(ours)}, Python says {_short(theirs)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def word(value: int = 0, size: int = 8) -> bytearray:
    """Memory of `size` bytes for a number or pointer that C reads and writes through an out parameter."""
    return bytearray(value.to_bytes(size, sys.byteorder))


def number(memory: bytearray) -> int:
    """What C wrote into a `word`."""
    return int.from_bytes(memory, sys.byteorder)
