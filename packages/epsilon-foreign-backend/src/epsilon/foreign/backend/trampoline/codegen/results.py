"""From what C returned to a Python object, and through `Binding.finish` where there is one."""

from __future__ import annotations

from ...abi import Kind
from ...binding import Guard, Marshal
from ..assembler import Label
from ..machine import Cond
from .made import write_object
from .writer import Writer

#: Pointer results by marshal: the function that makes an object of a pointer that is not NULL.
_FROM_POINTER = {
    Marshal.STRING: "PyUnicode_FromString",
    Marshal.BYTES: "PyBytes_FromString",
}


def write_result(w: Writer) -> None:
    """Convert, finish, and return."""
    if w.spec.guard is None:
        _natural(w, returning=True)
        return
    m = w.machine
    if w.spec.guard is not Guard.ALWAYS:
        finish = m.label()
        _branch_guard(w, finish)
        _natural(w, returning=True)
        m.bind(finish)
    _natural(w, returning=False)
    _finish(w)


def _natural(w: Writer, *, returning: bool) -> None:
    """The natural object of the raw result: returned, or left in RESULT (0 when an exception is set)."""
    kind = w.result_kind
    if w.spec.makes is not None:
        write_object(w, w.spec.makes)
        _leave(w, returning)
    elif kind is Kind.AGGREGATE:
        w.machine.lea(w.machine.ENTRY[0], w.machine.SP, w.result_block)
        w.machine.mov_imm(w.machine.ENTRY[1], w.spec.signature.result.size)
        w.call("PyBytes_FromStringAndSize")
        _leave(w, returning)
    elif kind is Kind.VOID:
        w.load_constant(w.machine.RESULT, "_Py_NoneStruct")
        _leave(w, returning)
    elif kind is Kind.BOOL:
        _bool(w)
        _leave(w, returning)
    elif kind is Kind.FLOAT:
        if w.spec.signature.result.size == 4:
            w.machine.f32_to_f64(w.machine.FRESULT, w.machine.FRESULT)
        _make(w, "PyFloat_FromDouble", returning)
    elif kind is Kind.POINTER:
        _pointer(w, returning)
    else:
        _integer(w, returning)


def _leave(w: Writer, returning: bool) -> None:
    if returning:
        w.machine.epilogue()
        w.machine.ret()


def _make(w: Writer, function: str, returning: bool) -> None:
    """Let a function of the C-API make the object; where nothing follows, it returns to our caller itself."""
    if returning:
        w.machine.epilogue()
        w.machine.jump_literal(w.target.address(function))
    else:
        w.call(function)


def _integer(w: Writer, returning: bool) -> None:
    m, type = w.machine, w.spec.signature.result
    # The bits above a narrow result are undefined in every convention here.
    m.extend(m.ENTRY[0], m.RESULT, type.size, type.kind is Kind.SIGNED)
    wide = type.kind is not Kind.SIGNED and type.size == 8
    # `long` is 64 bits in every convention here, and its function has a shorter way for small values than long long's.
    _make(w, "PyLong_FromUnsignedLongLong" if wide else "PyLong_FromLong", returning)


def _bool(w: Writer) -> None:
    m = w.machine
    m.extend(w.temp, m.RESULT, 1, False)
    m.load_literal(m.RESULT, w.target.address("_Py_TrueStruct"))
    m.load_literal(m.ENTRY[1], w.target.address("_Py_FalseStruct"))
    m.compare_imm(w.temp, 0)
    m.select(m.RESULT, Cond.EQ, m.ENTRY[1])
    w.own_constant(m.RESULT)


def _pointer(w: Writer, returning: bool) -> None:
    m, null, done = w.machine, w.machine.label(), w.machine.label()
    m.branch_zero(m.RESULT, null)
    m.mov(m.ENTRY[0], m.RESULT)
    _make(w, _FROM_POINTER.get(w.spec.result_marshal, "PyLong_FromUnsignedLongLong"), returning)
    if not returning:
        m.jump(done)
    m.bind(null)
    w.load_constant(m.RESULT, "_Py_NoneStruct")
    _leave(w, returning)
    m.bind(done)


def _branch_guard(w: Writer, finish: Label) -> None:
    """Go to `finish` when the raw result is what the guard names. Keeps the result's register."""
    m, type, guard = w.machine, w.spec.signature.result, w.spec.guard
    if type.kind is Kind.FLOAT:
        _branch_float_guard(w, finish)
        return
    size = 1 if type.kind is Kind.BOOL else type.size
    m.extend(w.temp, m.RESULT, size, type.kind is Kind.SIGNED)
    m.compare_imm(w.temp, 0)
    if guard is Guard.NEGATIVE:
        if type.kind is Kind.SIGNED:
            m.branch(Cond.LT, finish)
        return
    m.branch(Cond.NE if guard is Guard.NONZERO else Cond.EQ, finish)


def _branch_float_guard(w: Writer, finish: Label) -> None:
    m, value, nought = w.machine, w.machine.FSCRATCH[0], w.machine.FSCRATCH[1]
    if w.spec.signature.result.size == 4:
        m.f32_to_f64(value, m.FRESULT)
    else:
        m.fmov(value, m.FRESULT)
    m.mov_imm(w.temp, 0)
    m.fmov_from_int(nought, w.temp)
    if w.spec.guard is Guard.NEGATIVE:
        m.fcompare(nought, value)
        m.branch(Cond.A, finish)
        return
    m.fcompare(value, nought)
    m.branch(Cond.NE if w.spec.guard is Guard.NONZERO else Cond.EQ, finish)


def _finish(w: Writer) -> None:
    """RESULT = finish(natural result[, errno]); then return."""
    m = w.machine
    arguments = w.finish_arguments
    m.branch_zero(m.RESULT, w.failed)
    m.store(m.SP, arguments, m.RESULT)
    count = 1
    if w.spec.capture_errno:
        m.mov(m.ENTRY[0], w.errno)
        w.call("PyLong_FromLong")
        m.store(m.SP, arguments + 8, m.RESULT)
        m.branch_zero(m.RESULT, w.failed_with_result)
        count = 2
    m.load(m.ENTRY[0], w.self, w.target.record.finish)
    m.lea(m.ENTRY[1], m.SP, arguments)
    m.mov_imm(m.ENTRY[2], count)
    m.mov_imm(m.ENTRY[3], 0)
    w.call("PyObject_Vectorcall")
    # The first argument's slot is free for the result once its reference is dropped. AArch64 passes that argument
    # in the register that the result is in.
    m.load(w.temp, m.SP, arguments)
    m.store(m.SP, arguments, m.RESULT)
    m.mov(m.ENTRY[0], w.temp)
    w.call("Py_DecRef")
    if count == 2:
        m.load(m.ENTRY[0], m.SP, arguments + 8)
        w.call("Py_DecRef")
    m.load(m.RESULT, m.SP, arguments)
    m.epilogue()
    m.ret()

    def write_failed() -> None:
        m.bind(w.failed_with_result)
        m.load(m.ENTRY[0], m.SP, arguments)
        w.call("Py_DecRef")
        m.jump(w.failed)

    w.cold(write_failed)
