"""The stub that constructs structs of numbers: ``tp_init`` of their classes
(https://docs.python.org/3/c-api/typeobj.html#c.PyTypeObject.tp_init).

One stub serves all classes. It is entered through a thunk whose context is the class's table: how many members there
are, where the data lie in the object, how long they are, the Python function that does the same in full, and for each
member what it is and where. Keywords, values that are not plain and objects that were initialised before go to Python.
"""

from __future__ import annotations

from typing import NamedTuple

from ...abi import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    AbiType,
)
from ..assembler import Label
from ..machine import Cond, Machine
from .access import AccessStub, Words
from .target import Target

#: Offsets in a table, in bytes.
COUNT, INLINE, SIZE, FALLBACK, TEMPLATE, ROWS = 0, 8, 16, 24, 32, 40
#: In a row: the number of the member's type, and the member's offset from the start of the object.
ROW_TYPE, ROW_OFFSET, ROW_SIZE = 0, 8, 16

#: The types of members by number, likely ones first.
TYPES: tuple[AbiType, ...] = (
    INT32,
    DOUBLE,
    INT64,
    UINT32,
    UINT8,
    FLOAT,
    UINT64,
    INT16,
    UINT16,
    INT8,
    BOOL,
)


class Template(NamedTuple):
    """Offsets of the words that every new object takes from its template, so many of which are None."""

    words: tuple[int, ...]
    nones: int


class Initialise:
    """Writes the stub."""

    def __init__(self, target: Target, words: Words) -> None:
        self.target, self.words = target, words

    def write(self, template: Template) -> bytes:
        """``int init(PyObject *self, PyObject *args, PyObject *kwds)``."""
        w = AccessStub(self.target, self.words)
        m = w.m
        tuples = self.target.layout.tuple_layout
        assert tuples is not None
        _, cursor, left, row = m.ENTRY
        table, temp = m.SCRATCH[1], m.SCRATCH[0]
        m.prologue(_FRAME)
        self._save(m)
        m.branch_nonzero(left, w.slow)  # keywords
        m.load(table, m.SP, _TABLE)
        m.load(left, cursor, tuples.size_offset)
        m.load(temp, table, COUNT)
        m.compare(left, temp)
        m.branch(Cond.A, w.slow)
        self._place(w, template)
        m.lea(row, table, ROWS)
        m.add_imm(cursor, tuples.items_offset)
        loop, done = m.label(), m.label()
        m.bind(loop)
        m.branch_zero(left, done)
        self._member(w, loop)
        m.bind(done)
        m.mov_imm(m.RESULT, 0)
        m.epilogue()
        m.ret()
        self._slow(w)
        return m.finish()

    def _save(self, m: Machine) -> None:
        """Keep what the fallback is given: the object, the arguments, the keywords."""
        m.load(m.SCRATCH[0], m.CONTEXT, 8)
        m.store(m.SP, _TABLE, m.SCRATCH[0])
        for slot, register in zip((_SELF, _ARGS, _KWDS), m.ENTRY, strict=False):
            m.store(m.SP, slot, register)

    def _place(self, w: AccessStub, template: Template) -> None:
        """The words of an object that holds its own memory."""
        m, self_ = w.m, w.m.ENTRY[0]
        table, temp, other = m.SCRATCH[1], m.SCRATCH[0], m.ENTRY[3]
        m.load(temp, self_, self.words.live)
        m.branch_nonzero(temp, w.slow)  # it was initialised before
        m.load(other, table, TEMPLATE)
        for offset in template.words:
            m.load(temp, other, offset)
            m.store(self_, offset, temp)
        if template.nones and not w.layout.immortal:
            assert w.layout.refcount is not None
            m.load_literal(other, self.target.address("_Py_NoneStruct"))
            for _ in range(template.nones):
                m.increment_memory(other, w.layout.refcount.offset)
        m.load(temp, table, INLINE)
        m.add(temp, self_)
        m.store(self_, self.words.address, temp)
        m.store(self_, self.words.lower, temp)
        m.load(other, table, SIZE)
        m.add(temp, other)
        m.store(self_, self.words.upper, temp)

    def _member(self, w: AccessStub, loop: Label) -> None:
        """Store the next argument in the next member."""
        m = w.m
        self_, cursor, left, row = m.ENTRY
        for number, type in enumerate(TYPES):
            following = m.label()
            m.load(m.SCRATCH[0], row, ROW_TYPE)
            m.compare_imm(m.SCRATCH[0], number)
            m.branch(Cond.NE, following)
            # SCRATCH[2] is free: the table is not needed any more.
            m.load(m.SCRATCH[2], cursor, 0)
            w.read_number(type, m.SCRATCH[2])
            m.load(m.SCRATCH[0], row, ROW_OFFSET)
            m.add(m.SCRATCH[0], self_)
            w.write_number(type, m.SCRATCH[0])
            m.add_imm(cursor, 8)
            m.add_imm(row, ROW_SIZE)
            m.sub_imm(left, 1)
            m.jump(loop)
            m.bind(following)
        m.jump(w.slow)

    def _slow(self, w: AccessStub) -> None:
        """Call the fallback with the object, the arguments, and the keywords or None."""
        m, some, failed = w.m, w.m.label(), w.m.label()
        m.bind(w.slow)
        m.load(m.SCRATCH[0], m.SP, _KWDS)
        m.branch_nonzero(m.SCRATCH[0], some)
        m.load_literal(m.SCRATCH[0], self.target.address("_Py_NoneStruct"))
        m.store(m.SP, _KWDS, m.SCRATCH[0])
        m.bind(some)
        m.load(m.SCRATCH[0], m.SP, _TABLE)
        m.load(m.ENTRY[0], m.SCRATCH[0], FALLBACK)
        m.lea(m.ENTRY[1], m.SP, _SELF)
        m.mov_imm(m.ENTRY[2], 3)
        m.mov_imm(m.ENTRY[3], 0)
        m.call_literal(self.target.address("PyObject_Vectorcall"))
        m.branch_zero(m.RESULT, failed)
        m.mov(m.ENTRY[0], m.RESULT)
        m.call_literal(self.target.address("Py_DecRef"))
        m.mov_imm(m.RESULT, 0)
        m.epilogue()
        m.ret()
        m.bind(failed)
        m.mov_imm(m.RESULT, -1)
        m.epilogue()
        m.ret()


_SELF, _ARGS, _KWDS, _TABLE, _FRAME = 0, 8, 16, 24, 32
