"""A whole stub: guard, arguments, call, result."""

from __future__ import annotations

from ...abi import Kind
from ...binding import Marshal
from ..machine import Cond
from .blocks import Where, write_store_pieces
from .helpers import Helpers
from .keeping import FRAME as KEEPING
from .keeping import Keeping
from .lenders import write_aggregate, write_lent_pointer
from .memory import write_buffer, write_bytes, write_string
from .results import write_result
from .scalars import write_bool, write_float, write_integer
from .spec import StubSpec
from .target import Target
from .trusted import write_trusted
from .writer import VIEW_OBJ, Place, Writer


def write_fallback_stub(target: Target) -> bytes:
    """The stub that inlines nothing: every call goes to the record's fallback."""
    m = target.machine()
    m.load(m.ENTRY[0], m.ENTRY[0], target.record.fallback)
    m.jump_literal(target.address("PyObject_Vectorcall"))
    return m.finish()


def write_stub(spec: StubSpec, target: Target, helpers: Helpers) -> bytes:
    """The machine code for `spec`, whose signature `can_travel` and has no `long double` and no complex number."""
    return _Stub(spec, target, helpers).write()


#: An object's class may say in Python what its buffer is.
_BUFFERS = (Marshal.BUFFER, Marshal.WRITABLE)
#: Results that are nothing, or in the frame already.
_IN_NO_REGISTER = (Kind.VOID, Kind.AGGREGATE)


class _Stub(Writer):
    def write(self) -> bytes:
        m, spec = self.machine, self.spec
        if not spec.trusted:
            self._check_shape()
        string_length = self.frame.reserve()
        saved_result = self.frame.reserve()
        keeping = self.frame.reserve(KEEPING)
        self.frame.write_prologue(m, self.saved)
        m.mov(self.args, m.ENTRY[1])
        m.mov(self.self, m.ENTRY[0])
        for view in self.views.values():
            m.store_imm(m.SP, view + VIEW_OBJ, 0)
        for index, place in self._in_order():
            self._argument(index, place, string_length)
        self._call(saved_result, keeping)
        write_result(self)
        self._exits()
        self.write_cold()
        return m.finish()

    def _check_shape(self) -> None:
        """Keywords, or another number of arguments than parameters: nothing for a stub."""
        m = self.machine
        wrong = m.label()
        m.branch_nonzero(m.ENTRY[3], wrong)
        m.compare_imm(m.ENTRY[2], len(self.places))
        m.branch(Cond.NE, wrong)

        def write_wrong() -> None:
            m.bind(wrong)
            m.load(m.ENTRY[0], m.ENTRY[0], self.target.record.fallback)
            m.jump_literal(self.target.address("PyObject_Vectorcall"))

        self.cold(write_wrong)

    def _in_order(self) -> list[tuple[int, Place]]:
        """A direct stub needs a free integer register for what does not end in one, so that comes first.

        In any other, what may run Python code comes first, which could free memory that is lent already.
        """
        numbered = list(enumerate(self.places))
        if not self.direct:
            return sorted(numbered, key=lambda item: self.spec.marshals[item[0]] not in _BUFFERS)
        return sorted(
            numbered, key=lambda item: not item[1].is_vector and item[1].location.register is not None
        )

    def _argument(self, index: int, place: Place, string_length: int) -> None:
        marshal, kind = self.spec.marshals[index], place.type.kind
        if self.spec.trusted:
            write_trusted(self, index, place)
        elif marshal is Marshal.STRING:
            write_string(self, index, place, string_length)
        elif marshal is Marshal.BYTES:
            write_bytes(self, index, place)
        elif marshal in (Marshal.BUFFER, Marshal.WRITABLE):
            write_buffer(self, index, place)
        elif kind is Kind.AGGREGATE:
            write_aggregate(self, index, place)
        elif self.spec.accept(index) is not None:
            write_lent_pointer(self, index, place)
        elif kind is Kind.BOOL:
            write_bool(self, index, place)
        elif kind is Kind.FLOAT:
            write_float(self, index, place)
        else:
            write_integer(self, index, place, nullable=kind is Kind.POINTER)

    def _call(self, saved_result: int, keeping: int) -> None:
        m, spec = self.machine, self.spec
        if spec.capture_errno:
            self.call("errno_location")
            m.mov(self.errno, m.RESULT)
            m.store_imm(self.errno, 0, 0, 4)
        if spec.release_gil:
            self.call("PyEval_SaveThread")
            m.mov(self.thread, m.RESULT)
        self.load_registers()
        if spec.signature.variadic_from is not None and self.convention.vector_count:
            m.variadic_vectors(self.assignment.vectors)
        m.call_memory(self.self, self.target.record.target)
        write_store_pieces(m, self.assignment.result.pieces, Where(m.SP, self.result_block))
        if spec.capture_errno:
            m.load(self.errno, self.errno, 0, 4, signed=True)
        if spec.release_gil or self.views:
            self._after(saved_result)
        self._check_pending(saved_result, keeping)

    def _after(self, saved_result: int) -> None:
        """Take the GIL back and give buffers back, with the result out of their way."""
        m = self.machine
        self._save_result(saved_result)
        if self.spec.release_gil:
            m.mov(m.ENTRY[0], self.thread)
            self.call("PyEval_RestoreThread")
        self.release_views()
        self._restore_result(saved_result)

    def _save_result(self, slot: int) -> None:
        m = self.machine
        if self.result_is_vector:
            m.fstore(m.SP, slot, m.FRESULT)
        elif self.result_kind not in _IN_NO_REGISTER:
            m.store(m.SP, slot, m.RESULT)

    def _restore_result(self, slot: int) -> None:
        m = self.machine
        if self.result_is_vector:
            m.fload(m.FRESULT, m.SP, slot)
        elif self.result_kind not in _IN_NO_REGISTER:
            m.load(m.RESULT, m.SP, slot)

    def _check_pending(self, saved_result: int, keeping: int) -> None:
        """A callback of this call may have raised: one word says whether any has, anywhere."""
        m, waiting, resume = self.machine, self.machine.label(), self.machine.label()
        m.load_literal(self.temp, self.target.pending.word)
        m.load(self.temp, self.temp, 0)
        m.branch_nonzero(self.temp, waiting)
        m.bind(resume)

        def write_waiting() -> None:
            m.bind(waiting)
            self._save_result(saved_result)
            restore = m.label()
            Keeping(self.target, m, keeping).write_raise(restore, self.failed)
            m.bind(restore)
            self._restore_result(saved_result)
            m.jump(resume)

        self.cold(write_waiting)

    def _exits(self) -> None:
        """The ways out: the fallback, with the exception that sent us there forgotten; and failure."""
        m = self.machine
        m.bind(self.slow_with_error)
        if not self.direct:
            self.call("PyErr_Clear")
        m.bind(self.slow)
        if self.views:
            self.release_views()
        m.mov(m.ENTRY[1], self.args)
        m.load(m.ENTRY[0], self.self, self.target.record.fallback)
        m.mov_imm(m.ENTRY[2], len(self.places))
        m.mov_imm(m.ENTRY[3], 0)
        m.epilogue()
        m.jump_literal(self.target.address("PyObject_Vectorcall"))
        m.bind(self.failed)
        m.mov_imm(m.RESULT, 0)
        m.epilogue()
        m.ret()
