"""The stub that allocates in an arena: a method ``alloc(type[, count])`` of its class, METH_FASTCALL | METH_KEYWORDS.

An `Owner` hands out memory from a block by moving a cursor. What a type needs is looked up in a table that Python
fills, by the address of the type's object. Only the GIL makes this sound: between reading the cursor and moving it
nobody else may run. So there is no such stub on free-threaded builds.
"""

from __future__ import annotations

from typing import NamedTuple

from ..machine import Cond
from .access import AccessStub, Words
from .integers import write_compact
from .target import Target

#: The table: so many entries, found by the low bits of ``address >> 4``.
ENTRIES = 64
#: An entry, offsets in bytes: the type's object, the class of its pointers, the size and the alignment - 1 of a value,
#: the flags of pointers to it.
KEY, CLASS, SIZE, MASK, FLAGS = 0, 8, 16, 24, 32
ENTRY_SHIFT = 6  # 64 bytes each

#: Most arguments, keywords included, that are handed to the fallback: more than it takes.
MOST = 8


class Block(NamedTuple):
    """Offsets of the words of an `Owner`, and what its cell says when all is well."""

    cell: int
    cursor: int
    end: int
    alive: int


class Slots(NamedTuple):
    """Offsets in a pointer object: its reference to the owner, and the references that are None."""

    owner: int
    nones: tuple[int, ...]


class Allocate:
    """Writes the stub."""

    def __init__(self, target: Target, words: Words, block: Block, slots: Slots) -> None:
        self.target, self.words, self.block, self.slots = target, words, block, slots

    def write(self, table: int, fallback: int) -> bytes:
        """``PyObject *alloc(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)``."""
        w = AccessStub(self.target, self.words)
        m = w.m
        self._find(w, table)
        self._take(w)
        # The entry and the memory are this call's now; what follows may run the garbage collector.
        self._make(w)
        self._slow(w, fallback)
        return m.finish()

    def _find(self, w: AccessStub, table: int) -> None:
        """ENTRY[3] = the entry of the type; SCRATCH[1] = how many values."""
        m = w.m
        _, args, nargs, entry = m.ENTRY
        key, count, one, found = m.SCRATCH[0], m.SCRATCH[1], m.label(), m.label()
        layout = self.target.layout
        assert layout.int_layout is not None
        assert layout.type_offset is not None
        m.branch_nonzero(entry, w.slow)  # keywords
        m.mov_imm(count, 1)
        m.compare_imm(nargs, 1)
        m.branch(Cond.EQ, one)
        m.compare_imm(nargs, 2)
        m.branch(Cond.NE, w.slow)
        m.load(key, args, 8)
        m.load(count, key, layout.type_offset)
        m.compare_literal(count, self.target.address("PyLong_Type"))
        m.branch(Cond.NE, w.slow)
        write_compact(m, layout.int_layout, count, key, w.slow)
        m.compare_imm(count, 0)
        m.branch(Cond.LT, w.slow)
        m.bind(one)
        m.load(key, args, 0)
        m.mov(entry, key)
        m.shr_imm(entry, 4)
        m.and_imm(entry, ENTRIES - 1)
        m.shl_imm(entry, ENTRY_SHIFT)
        # SCRATCH[2] is free in a stub that is not entered through a thunk.
        m.load_literal(m.SCRATCH[2], table)
        m.add(entry, m.SCRATCH[2])
        m.compare_memory(key, entry, KEY)
        m.branch(Cond.EQ, found)
        m.mov_imm(entry, 0)  # the fallback takes it for the keywords again
        m.jump(w.slow)
        m.bind(found)

    def _take(self, w: AccessStub) -> None:
        """SCRATCH[0] = the start, SCRATCH[1] = the end of the memory."""
        m, block, back = w.m, self.block, w.m.label()
        self_, _, _, entry = m.ENTRY
        start, size, temp, go = m.SCRATCH[0], m.SCRATCH[1], m.SCRATCH[2], m.label()
        m.load(temp, self_, block.cell)
        m.compare_imm(temp, block.alive)
        m.branch(Cond.NE, back)
        m.load(temp, entry, SIZE)
        m.mul(size, temp)
        m.load(temp, entry, MASK)
        m.load(start, self_, block.cursor)
        m.add(start, temp)
        m.neg(temp)
        m.sub_imm(temp, 1)  # ~mask
        m.and_(start, temp)
        m.mov(temp, size)
        m.add(size, start)
        some = m.label()
        m.branch_nonzero(temp, some)
        m.add_imm(size, 1)  # no two allocations have one address
        m.bind(some)
        m.compare_memory(size, self_, block.end)
        m.branch(Cond.A, back)
        m.store(self_, block.cursor, size)
        m.branch_nonzero(temp, go)
        m.sub_imm(size, 1)
        m.jump(go)
        m.bind(back)
        m.mov_imm(entry, 0)
        m.jump(w.slow)
        m.bind(go)

    def _make(self, w: AccessStub) -> None:
        """Return the pointer object."""
        m, words, layout = w.m, self.words, self.target.layout
        owner, entry, start, stop = m.SAVED[:4]
        failed, temp = m.label(), m.SCRATCH[1]
        m.prologue(8, (owner, entry, start, stop))
        m.mov(owner, m.ENTRY[0])
        m.mov(entry, m.ENTRY[3])
        m.mov(start, m.SCRATCH[0])
        m.mov(stop, m.SCRATCH[1])
        m.load(m.ENTRY[0], entry, CLASS)
        m.mov_imm(m.ENTRY[1], 0)
        m.call_literal(self.target.address("PyType_GenericAlloc"))
        m.branch_zero(m.RESULT, failed)
        m.store(m.RESULT, words.address, start)
        m.store(m.RESULT, words.lower, start)
        m.store(m.RESULT, words.upper, stop)
        m.lea(temp, owner, self.block.cell)
        m.store(m.RESULT, words.live, temp)
        m.load(temp, entry, FLAGS)
        m.store(m.RESULT, words.flags, temp)
        m.store(m.RESULT, self.slots.owner, owner)
        m.load_literal(temp, self.target.address("_Py_NoneStruct"))
        for offset in self.slots.nones:
            m.store(m.RESULT, offset, temp)
            w.own_none(temp)
        if layout.refcount is not None:
            m.increment_memory(owner, layout.refcount.offset)
        else:
            m.store(m.SP, 0, m.RESULT)
            m.mov(m.ENTRY[0], owner)
            m.call_literal(self.target.address("Py_IncRef"))
            m.load(m.RESULT, m.SP, 0)
        m.bind(failed)
        m.epilogue()
        m.ret()

    def _slow(self, w: AccessStub, fallback: int) -> None:
        """``fallback(self, *args, **kwargs)``: the arguments are copied behind the object."""
        m, tuples = w.m, self.target.layout.tuple_layout
        assert tuples is not None
        self_, args, nargs, kwnames = m.ENTRY
        left, temp, at = m.SCRATCH[0], m.SCRATCH[1], m.SCRATCH[2]
        loop, done, plain, fits = m.label(), m.label(), m.label(), m.label()
        m.bind(w.slow)
        m.prologue(8 * (MOST + 1))
        m.store(m.SP, 0, self_)
        m.mov(left, nargs)
        m.branch_zero(kwnames, plain)
        m.load(temp, kwnames, tuples.size_offset)
        m.add(left, temp)
        m.bind(plain)
        m.compare_imm(left, MOST)
        m.branch(Cond.LE, fits)
        m.mov_imm(left, MOST)  # it refuses these already
        m.mov_imm(nargs, MOST)
        m.mov_imm(kwnames, 0)
        m.bind(fits)
        m.lea(at, m.SP, 8)
        m.bind(loop)
        m.branch_zero(left, done)
        m.load(temp, args, 0)
        m.store(at, 0, temp)
        m.add_imm(args, 8)
        m.add_imm(at, 8)
        m.sub_imm(left, 1)
        m.jump(loop)
        m.bind(done)
        m.load_literal(m.ENTRY[0], fallback)
        m.lea(m.ENTRY[1], m.SP, 0)
        m.add_imm(m.ENTRY[2], 1)
        m.call_literal(self.target.address("PyObject_Vectorcall"))
        m.epilogue()
        m.ret()
