"""Allocation in arenas by machine code: the method, and the table of types that it knows."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..heaptype import slot_offset
from ..memobject import LIVE, OWNER
from .codegen import Words
from .codegen.allocate import CLASS, ENTRIES, ENTRY_SHIFT, FLAGS, KEY, MASK, SIZE, Allocate, Block, Slots

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stubs import Stubs

_METH_FASTCALL_KEYWORDS = 0x80 | 0x02
_ENTRY_WORDS = (1 << ENTRY_SHIFT) // 8


class _MethodDef(ctypes.Structure):
    """PyMethodDef (https://docs.python.org/3/c-api/structures.html#c.PyMethodDef)."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_new_method_descriptor: Any = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.py_object, ctypes.POINTER(_MethodDef)
)(("PyDescr_NewMethod", ctypes.pythonapi))


class Allocator:
    """The table of one method: what a value of each type needs."""

    def __init__(self) -> None:
        self.table = (ctypes.c_uint64 * (ENTRIES * _ENTRY_WORDS))()
        self._known: list[tuple[Any, Any] | None] = [None] * ENTRIES

    def learn(self, type: Any, pointers: Any, size: int, alignment: int, flags: int) -> None:
        """From now on know `type`; another that had the same place is forgotten."""
        place = (id(type) >> 4) % ENTRIES
        at = place * _ENTRY_WORDS
        # The key goes first and comes last: other threads may run between any two of these.
        self.table[at + KEY // 8] = 0
        self._known[place] = (type, pointers)
        self.table[at + CLASS // 8] = id(pointers)
        self.table[at + SIZE // 8] = size
        self.table[at + MASK // 8] = alignment - 1
        self.table[at + FLAGS // 8] = flags
        self.table[at + KEY // 8] = id(type)


def make_allocator(
    stubs: Stubs,
    words: Words,
    cls: type,
    fallback: Callable[..., Any],
    owner: str,
    nones: tuple[str, ...],
    sample: type,
) -> tuple[Any, Allocator] | None:
    """See `Accessors.allocator`."""
    layout = stubs.target.layout
    free_threaded = layout.head_size != 16
    if free_threaded or layout.int_layout is None or layout.tuple_layout is None:
        return None
    allocator = Allocator()
    slots = Slots(slot_offset(sample, owner), tuple([slot_offset(sample, name) for name in nones]))
    code = Allocate(stubs.target, words, Block(OWNER.cell, OWNER.cursor, OWNER.end, LIVE), slots)
    entry = stubs.heap.allocate(code.write(ctypes.addressof(allocator.table), id(fallback)), "alloc")
    text = f"alloc($self, type, count=1, *, align=None)\n--\n\n{fallback.__doc__ or ''}"
    definition = _MethodDef(b"alloc", entry, _METH_FASTCALL_KEYWORDS, text.encode())
    _kept.append((definition, allocator, fallback))
    return _new_method_descriptor(cls, definition), allocator


_kept: list[object] = []
