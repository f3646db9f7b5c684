"""libc: the environment, sorted by qsort, which calls a Python function to compare."""

from __future__ import annotations

import os
from collections.abc import Iterator

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
from report import agree

TITLE = "the environment sorted by libc"
LIBRARY = None
#: Names longer than this, in bytes, are cut for the sort: qsort wants records of one size.
WIDTH = 64

Comparison = ffi.Callback[[c.pointer, c.pointer], c.int]


def run(library: ffi.Library) -> Iterator[str]:
    """Sort the names of the environment's variables with qsort; read one back with getenv."""

    @library.function
    def getenv(name: c.string) -> c.string: ...

    @library.function
    def strcmp(a: c.pointer, b: c.pointer) -> c.int: ...

    @library.function
    def qsort(base: c.mutable_buffer, count: c.size_t, size: c.size_t, compare: Comparison) -> None: ...

    names = [name[: WIDTH - 1] for name in os.environb]
    records = bytearray().join(name.ljust(WIDTH, b"\0") for name in names)
    compared = 0

    def compare(a: int, b: int) -> int:
        nonlocal compared
        compared += 1
        return strcmp(a, b)

    qsort(records, len(names), WIDTH, compare)
    ordered = [bytes(records[i : i + WIDTH]).rstrip(b"\0") for i in range(0, len(records), WIDTH)]
    agree("the order", ordered, sorted(names))
    shown = [os.fsdecode(name) for name in ordered]
    yield f"{len(shown)} names, {compared} comparisons by a Python function: {_abridged(shown)}"
    agree("PATH", getenv("PATH"), os.environ.get("PATH"))
    agree("an unset variable", getenv("EPSILON_FOREIGN_NO_SUCH_VARIABLE"), None)
    yield "getenv gives PATH as os.environ has it, and None for what is not set"


def _abridged(names: list[str]) -> str:
    return ", ".join(names if len(names) <= 5 else [*names[:3], "…", names[-1]])
