"""The suite's structs and functions by cffi, in its two modes.

Types are parsed beforehand (``ffi.typeof``), which is the quickest that ``ffi.new`` can be told one. What
``ffi.new`` makes for a struct is a pointer to it, so there is no other way to lend one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ...building.workshop import Workshop, load
from ...contestant import UnavailableError
from .kit import Functions, Kit, Making
from .operations import BLOCK, BYTES, ENTRY, LENGTH, POINT


class Opened(NamedTuple):
    """The ``ffi`` object and the library that goes with it."""

    ffi: Any
    library: Any


def parsed(workshop: Workshop, path: Path, declarations: str) -> Opened:
    """ABI mode. Raises UnavailableError when cffi is not installed."""
    try:
        import cffi
    except ImportError as error:
        raise UnavailableError(f"cffi cannot be imported: {error}") from None
    ffi = cffi.FFI()
    ffi.cdef(declarations)
    return Opened(ffi, ffi.dlopen(str(path)))


def compiled(workshop: Workshop, path: Path, declarations: str) -> Opened:
    """API mode. Raises UnavailableError."""
    name = "cffi_data"
    module = load(name, workshop.cffi(name, declarations, declarations, [path]))
    return Opened(module.ffi, module.lib)


def kit(opened: Opened) -> Kit:
    """Data without calls."""
    new, typeof = opened.ffi.new, opened.ffi.typeof
    numbers = typeof(f"int[{LENGTH}]")

    def pointer() -> tuple[Any, Any]:
        owner = new(numbers)
        return opened.ffi.cast("int *", owner), owner

    return Kit(
        entry=lambda: new("struct entry *"),
        numbers=lambda: new(numbers),
        pointer=pointer,
        point=Making("new(type, (x, y))", {"new": new, "type": typeof("struct point *")}),
        memory=Making("new(type)", {"new": new, "type": typeof(f"char[{BYTES}]")}),
    )


def functions(opened: Opened) -> Functions:
    """The functions, and structs to pass."""
    ffi, library = opened
    point = ffi.new("struct point *", POINT)
    entry = ffi.new("struct entry *", ENTRY)
    block = ffi.new("struct block *", BLOCK)
    return Functions(
        library.swap_point,
        library.step_entry,
        library.swap_block,
        library.add_point,
        # What an owning pointer points to keeps its memory alive.
        point=point[0],
        entry=entry[0],
        block=block[0],
        lent=point,
        pointer=point,
    )
