"""Exceptions that wait for the foreign call that must raise them (see `pending`), by the C-API alone.

No Python function is called here, and nothing is compared. At the end of the stack either could fail, and before a
Python function begins the interpreter runs signal handlers, which may raise or make foreign calls of their own: any of
that would lose the exception.
"""

from __future__ import annotations

from typing import NamedTuple

from ..assembler import IntRegister, Label
from ..machine import Cond, Machine
from .target import Target

#: Bytes of the frame that `Keeping` needs.
FRAME = 24


class Keeping(NamedTuple):
    """Writes code that keeps this thread's exception, asks for it, and raises it."""

    target: Target
    machine: Machine
    slots: int
    """Offset from SP of `FRAME` bytes."""

    def write_ask(self, kept: Label) -> None:
        """Go to `kept` if this thread has an exception."""
        m, none = self.machine, self.machine.label()
        self._write_box(none)
        m.load(m.SCRATCH[1], m.RESULT, self.target.pending.error)
        m.branch_nonzero(m.SCRATCH[1], kept)
        m.bind(none)

    def write_keep(self, error: IntRegister, failed: Label) -> None:
        """Keep the exception in a preserved register; to `failed`, with another set, for want of memory."""
        m, box, old, slot = self.machine, self.slots, self.slots + 8, self.target.pending.error
        missing, found, more = m.label(), m.label(), m.label()
        self._write_box(missing)
        m.bind(found)
        m.store(m.SP, box, m.RESULT)
        m.load(m.SCRATCH[1], m.RESULT, slot)
        m.store(m.SP, old, m.SCRATCH[1])
        m.branch_nonzero(m.SCRATCH[1], more)
        m.load_literal(m.ENTRY[0], self.target.pending.kept)
        m.load_literal(m.ENTRY[1], self.target.address("_Py_NoneStruct"))
        self._call("PyList_Append")
        m.compare_imm(m.RESULT, 0, size=4)
        m.branch(Cond.NE, failed)
        self._write_count()
        m.bind(more)
        m.mov(m.ENTRY[0], error)
        self._call("Py_IncRef")
        m.load(m.SCRATCH[1], m.SP, box)
        m.store(m.SCRATCH[1], slot, error)
        m.load(m.ENTRY[0], m.SP, old)
        self._call("Py_DecRef")
        done = m.label()
        m.jump(done)
        m.bind(missing)
        self._write_new_box(failed)
        m.jump(found)
        m.bind(done)

    def write_raise(self, none: Label, failed: Label) -> None:
        """Raise this thread's exception, which is kept no longer, and go to `failed`; to `none` if it has none."""
        m, value, trace, slot = self.machine, self.slots, self.slots + 8, self.target.pending.error
        self._write_box(none)
        m.load(m.SCRATCH[1], m.RESULT, slot)
        m.branch_zero(m.SCRATCH[1], none)
        m.store(m.SP, value, m.SCRATCH[1])  # its reference is this code's from now on
        m.mov_imm(m.SCRATCH[1], 0)
        m.store(m.RESULT, slot, m.SCRATCH[1])
        m.load_literal(m.ENTRY[0], self.target.pending.kept)
        m.mov_imm(m.ENTRY[1], 0)
        m.mov_imm(m.ENTRY[2], 1)
        m.mov_imm(m.ENTRY[3], 0)
        self._call("PyList_SetSlice")
        self._write_count()
        m.load(m.ENTRY[0], m.SP, value)
        self._call("PyException_GetTraceback")
        m.store(m.SP, trace, m.RESULT)
        m.load(m.ENTRY[0], m.SP, value)
        self._call("PyObject_Type")
        m.mov(m.ENTRY[0], m.RESULT)
        m.load(m.ENTRY[1], m.SP, value)
        m.load(m.ENTRY[2], m.SP, trace)
        self._call("PyErr_Restore")
        m.jump(failed)

    def _call(self, name: str) -> None:
        self.machine.call_literal(self.target.address(name))

    def _write_box(self, none: Label) -> None:
        """RESULT = this thread's box."""
        m = self.machine
        self._call("PyThreadState_GetDict")
        m.branch_zero(m.RESULT, none)
        m.mov(m.ENTRY[0], m.RESULT)
        m.load_literal(m.ENTRY[1], self.target.pending.key)
        self._call("PyDict_GetItemWithError")
        m.branch_zero(m.RESULT, none)

    def _write_new_box(self, failed: Label) -> None:
        """RESULT = a new box for this thread."""
        m, box, dictionary = self.machine, self.slots, self.slots + 8
        self._call("PyThreadState_GetDict")
        m.branch_zero(m.RESULT, failed)
        m.store(m.SP, dictionary, m.RESULT)
        m.load_literal(m.ENTRY[0], self.target.pending.box)
        m.mov_imm(m.ENTRY[1], 0)
        self._call("PyType_GenericAlloc")
        m.branch_zero(m.RESULT, failed)
        m.store(m.SP, box, m.RESULT)
        m.mov(m.ENTRY[2], m.RESULT)
        m.load(m.ENTRY[0], m.SP, dictionary)
        m.load_literal(m.ENTRY[1], self.target.pending.key)
        self._call("PyDict_SetItem")
        m.store(m.SP, dictionary, m.RESULT)
        m.load(m.ENTRY[0], m.SP, box)
        self._call("Py_DecRef")  # it is the dictionary's
        m.load(m.SCRATCH[1], m.SP, dictionary, 4)
        m.branch_nonzero(m.SCRATCH[1], failed)
        m.load(m.RESULT, m.SP, box)

    def _write_count(self) -> None:
        """Store the count until it agrees with the list, which other threads may have changed meanwhile."""
        m, size, again = self.machine, self.slots + 16, self.machine.label()
        m.bind(again)
        self._write_size()
        m.store(m.SP, size, m.RESULT)
        m.load_literal(m.SCRATCH[1], self.target.pending.word)
        m.store(m.SCRATCH[1], 0, m.RESULT)
        self._write_size()
        m.compare_memory(m.RESULT, m.SP, size)
        m.branch(Cond.NE, again)

    def _write_size(self) -> None:
        self.machine.load_literal(self.machine.ENTRY[0], self.target.pending.kept)
        self._call("PyList_Size")
