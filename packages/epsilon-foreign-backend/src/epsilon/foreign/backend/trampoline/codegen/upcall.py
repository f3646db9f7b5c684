"""A whole upcall stub: C calls it, it calls Python.

It is entered through a thunk, with the address of the thunk's slot in `Machine.CONTEXT`; the slot's second word is the
callback's record. It attaches the thread, makes objects of the arguments, calls the record's function by vectorcall,
and reads the result. What it cannot read inline, and every exception, goes to functions in Python.

The record must outlive the call although Python may drop the callback meanwhile: `active` counts the calls in flight,
and a record is not taken apart before that is 0.
"""

from __future__ import annotations

from ...abi import Kind
from ..assembler import IntRegister, Label, VectorRegister
from ..machine import Cond
from .blocks import Where, write_load_pieces, write_store_pieces
from .helpers import Helpers
from .target import Target
from .upcall_arguments import give_back, write_argument
from .upcall_result import write_result
from .upcall_spec import ROW_SIZE, SHARED_ERROR, SHARED_ROWS, UpcallSpec, UpcallTarget
from .upcall_writer import UpcallWriter


def write_upcall(spec: UpcallSpec, target: Target, upcall: UpcallTarget, helpers: Helpers) -> bytes:
    """The machine code for `spec`; see `write_stub`."""
    return _Upcall(spec, target, upcall, helpers).write()


class _Upcall(UpcallWriter):
    def write(self) -> bytes:
        m = self.machine
        finalizing, attach, kept, run = m.label(), m.label(), m.label(), m.label()
        self.frame.write_prologue(m, (self.context, self.state, self.object))
        m.load(self.context, m.CONTEXT, 8)
        self._save_arguments()
        self._branch_if_word(self.upcall.finalizing, finalizing)
        m.bind(attach)
        self.attaching.write_attach()
        self._count(1)
        self._branch_if_word(self.target.pending.word, kept)
        m.bind(run)
        self._call()
        m.branch_zero(self.object, self.raised)
        if self.spec.signature.result.kind is not Kind.VOID:
            write_result(self)
        self.drop_object()
        m.bind(self.done)
        self._count(-1)
        self._detach()
        self._raised()
        self._kept(kept, run)
        self._finalizing(finalizing, attach)
        self.write_cold()
        return m.finish()

    # In and out

    def _save_arguments(self) -> None:
        m, temp = self.machine, self.machine.SCRATCH[0]
        for preserved, offset in self.preserved:
            if isinstance(preserved, VectorRegister):
                m.fstore(m.SP, offset, preserved, 16)
            else:
                m.store(m.SP, offset, preserved)
        for location, offset in zip(self.assignment.arguments, self.incoming, strict=True):
            register = location.register
            if location.pieces:
                write_store_pieces(m, location.pieces, Where(m.SP, offset))
            elif isinstance(register, VectorRegister):
                m.fstore(m.SP, offset, register)
            elif register is not None:
                m.store(m.SP, offset, register)
            else:
                # Of an aggregate this is just the beginning: it stays where it is.
                m.load(temp, m.FP, m.incoming + location.offset)
                m.store(m.SP, offset, temp)
        pointer = self.assignment.result.register
        if isinstance(pointer, IntRegister):
            m.store(m.SP, self.result, pointer)

    def _detach(self) -> None:
        self.attaching.write_detach()
        self._return()

    def _return(self) -> None:
        """Load the result and go back to C."""
        m = self.machine
        if self.result_is_vector:
            m.fload(m.FRESULT, m.SP, self.result)
        elif self.assignment.result.pieces:
            write_load_pieces(m, self.assignment.result.pieces, Where(m.SP, self.result))
        else:  # the address of an aggregate is what most conventions return, and none minds
            m.load(m.RESULT, m.SP, self.result)
        for register, offset in self.preserved:
            if isinstance(register, VectorRegister):
                m.fload(register, m.SP, offset, 16)
            else:
                m.load(register, m.SP, offset)
        m.epilogue()
        m.ret()

    def _branch_if_word(self, address: int, label: Label) -> None:
        m, temp = self.machine, self.machine.SCRATCH[0]
        m.load_literal(temp, address)
        m.load(temp, temp, 0)
        m.branch_nonzero(temp, label)

    def _count(self, step: int) -> None:
        """Count the calls in flight: in a plain word where the GIL guards it, else by references."""
        m, temp = self.machine, self.machine.SCRATCH[0]
        if self.free_threaded:
            m.mov(m.ENTRY[0], self.context)
            self.call("Py_IncRef" if step > 0 else "Py_DecRef")
            return
        m.load(temp, self.context, self.record.active)
        m.add_imm(temp, step)
        m.store(self.context, self.record.active, temp)

    # The call

    def _call(self) -> None:
        """`object` = what the function returns, a new reference, or 0 with an exception set."""
        m = self.machine
        count = len(self.spec.marshals)
        # An argument that cannot be made goes where those before it are given back, with no result.
        given_back = [m.label() for _ in range(count + 1)]
        m.mov_imm(self.object, 0)
        for index in range(count):
            write_argument(self, index)
            m.branch_zero(m.RESULT, given_back[index])
            m.store(m.SP, self.objects + 8 * index, m.RESULT)
        m.load(m.ENTRY[0], self.context, self.record.function)
        m.branch_zero(m.ENTRY[0], given_back[count])  # the collector has cleared the record: at shutdown
        m.lea(m.ENTRY[1], m.SP, self.objects)
        m.mov_imm(m.ENTRY[2], count | 1 << 63)
        m.mov_imm(m.ENTRY[3], 0)
        self.call("PyObject_Vectorcall")
        m.mov(self.object, m.RESULT)
        for index in range(count, 0, -1):
            m.bind(given_back[index])
            give_back(self, index - 1)
        m.bind(given_back[0])

    # What goes wrong

    def _raised(self) -> None:
        """An exception is set: keep it for the foreign call below, and give C the error value."""
        m = self.machine
        kind, value, trace = self.error
        report, handled = m.label(), m.label()
        m.bind(self.raised)
        self._fetch()
        # Whatever Python code runs below is inside a foreign call. That of a released callback is not to blame.
        m.load(m.SCRATCH[0], m.SP, kind)
        m.branch_zero(m.SCRATCH[0], report)
        m.compare_literal(m.SCRATCH[0], self.upcall.dead)
        m.branch(Cond.EQ, report)
        self.call("PyEval_GetFrame")
        m.branch_zero(m.RESULT, report)
        self.keeping.write_keep(self.object, report)
        m.bind(handled)
        for slot in (kind, value, trace):
            m.load(m.ENTRY[0], m.SP, slot)
            self.call("Py_DecRef")
        self._store_error()
        m.jump(self.done)
        m.bind(report)
        self._report()
        m.jump(handled)

    def _fetch(self) -> None:
        """`object` = the exception that is set, with its traceback; None if there is none."""
        m = self.machine
        _, value, trace = self.error
        named, traced = m.label(), m.label()
        for function in ("PyErr_Fetch", "PyErr_NormalizeException"):
            for register, slot in zip(m.ENTRY, self.error, strict=False):
                m.lea(register, m.SP, slot)
            self.call(function)
        m.load(m.ENTRY[0], m.SP, value)
        m.branch_nonzero(m.ENTRY[0], named)
        self.load_none(m.ENTRY[0])
        m.store(m.SP, value, m.ENTRY[0])
        m.bind(named)
        m.load(m.ENTRY[1], m.SP, trace)
        m.branch_zero(m.ENTRY[1], traced)
        self.call("PyException_SetTraceback")
        m.bind(traced)
        m.load(self.object, m.SP, value)

    def _report(self) -> None:
        m, reported = self.machine, self.machine.label()
        self.call("PyErr_Clear")  # of why it could not be kept
        self.call_python(self.upcall.handle, self.object)
        m.mov(m.ENTRY[0], m.RESULT)
        m.branch_nonzero(m.RESULT, reported)
        self.call("PyErr_WriteUnraisable")  # of NULL: nobody knows whose exception it is
        m.mov_imm(m.ENTRY[0], 0)
        m.bind(reported)
        self.call("Py_DecRef")

    def _store_error(self) -> None:
        m, temp = self.machine, self.machine.SCRATCH[1]
        m.load(temp, self.context, self.record.shared)
        if self.spec.signature.result.kind is Kind.AGGREGATE:
            self.store_result(Where(temp, SHARED_ROWS + ROW_SIZE * len(self.spec.marshals)))
            return
        m.load(temp, temp, SHARED_ERROR)
        m.store(m.SP, self.result, temp)

    def _kept(self, here: Label, run: Label) -> None:
        """Some thread has an exception kept. If it is this one, C gets the error value at once."""
        m, mine = self.machine, self.machine.label()
        m.bind(here)
        self.keeping.write_ask(mine)
        m.jump(run)
        m.bind(mine)
        self._store_error()
        m.jump(self.done)

    def _finalizing(self, here: Label, attach: Label) -> None:
        """The interpreter is shutting down. Only the thread that does it may still run Python, while there is any.

        Any other that asked for the GIL now would be ended or would wait for ever inside C code that expects neither
        (https://docs.python.org/3/c-api/init.html#c.PyEval_RestoreThread).
        """
        m, refuse, temp = self.machine, self.machine.label(), self.machine.SCRATCH[0]
        m.bind(here)
        self.call("pthread_self")
        m.load_literal(m.ENTRY[1], self.upcall.finalizing)
        m.compare_memory(m.RESULT, m.ENTRY[1], 0)
        m.branch(Cond.NE, refuse)
        self.call("Py_IsInitialized")
        m.extend(temp, m.RESULT, 4, False)
        m.branch_nonzero(temp, attach)
        m.bind(refuse)
        self._store_error()
        self._return()
