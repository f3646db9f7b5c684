"""From what the Python function returned to what C expects: inline where it is plain, else through Python."""

from __future__ import annotations

from ...abi import AbiType, Kind
from ..assembler import IntRegister, Label
from ..machine import Cond
from .blocks import Where
from .integers import write_compact
from .upcall_writer import UpcallWriter


def write_result(w: UpcallWriter) -> None:
    """The raw result into its slot; `object` remains the caller's to drop."""
    m, type = w.machine, w.spec.signature.result
    slow, done = m.label(), m.label()
    if w.spec.converts or w.layout.type_offset is None or type.kind is Kind.AGGREGATE:
        m.jump(slow)
    elif type.kind is Kind.FLOAT:
        _float(w, type, slow, done)
    elif type.kind is Kind.BOOL:
        _bool(w, slow)
    else:
        _integer(w, type, slow, done)
    m.bind(done)
    w.cold(lambda: _through_python(w, type, slow, done))


def _load_type(w: UpcallWriter, d: IntRegister, object: IntRegister, expected: str) -> None:
    assert w.layout.type_offset is not None
    w.machine.load(d, object, w.layout.type_offset)
    w.machine.compare_literal(d, w.target.address(expected))


def _integer(w: UpcallWriter, type: AbiType, slow: Label, done: Label) -> None:
    m, layout = w.machine, w.layout.int_layout
    if layout is None:
        m.jump(slow)
        return
    # What a helper uses: its argument and value are in SCRATCH[0].
    object, d = m.SCRATCH[0], m.SCRATCH[1]
    cold, check, store = m.label(), m.label(), m.label()
    unsigned = type.kind is not Kind.SIGNED
    m.mov(object, w.object)
    _load_type(w, d, object, "PyLong_Type")
    m.branch(Cond.NE, cold)
    write_compact(m, layout, d, object, cold)
    m.bind(check)
    if type.size < 8:
        m.extend(object, d, type.size, not unsigned)
        m.compare(object, d)
        m.branch(Cond.NE, slow)
    elif unsigned:
        m.compare_imm(d, 0)
        m.branch(Cond.LT, slow)
    m.bind(store)
    m.store(m.SP, w.result, d)

    def write_cold() -> None:
        m.bind(cold)
        m.mov(object, w.object)
        if type.kind is Kind.POINTER:
            m.mov_imm(d, 0)
            m.compare_literal(object, w.target.address("_Py_NoneStruct"))
            m.branch(Cond.EQ, store)
        m.call_literal(w.helpers.as_uint64 if unsigned and type.size == 8 else w.helpers.as_int64)
        m.branch(Cond.NE, slow)
        m.mov(d, object)
        m.jump(store if type.size == 8 else check)

    w.cold(write_cold)


def _float(w: UpcallWriter, type: AbiType, slow: Label, done: Label) -> None:
    m, object, value = w.machine, w.machine.SCRATCH[0], w.machine.FSCRATCH[0]
    if w.layout.float_offset is None:
        m.jump(slow)
        return
    cold, store = m.label(), m.label()
    m.mov(object, w.object)
    _load_type(w, m.SCRATCH[1], object, "PyFloat_Type")
    m.branch(Cond.NE, cold)
    m.fload(value, object, w.layout.float_offset)
    m.bind(store)
    _store_float(w, type)

    def write_cold() -> None:
        m.bind(cold)
        if w.layout.int_layout is None:
            m.jump(slow)
            return
        m.call_literal(w.helpers.as_int64)
        m.branch(Cond.NE, slow)
        m.i64_to_f64(value, object)
        m.jump(store)

    w.cold(write_cold)


def _store_float(w: UpcallWriter, type: AbiType) -> None:
    m, value = w.machine, w.machine.FSCRATCH[0]
    if type.size == 4:
        m.f64_to_f32(value, value)
    m.fstore(m.SP, w.result, value, type.size)


def _bool(w: UpcallWriter, slow: Label) -> None:
    m, d, store = w.machine, w.machine.SCRATCH[1], w.machine.label()
    m.compare_literal(w.object, w.target.address("_Py_TrueStruct"))
    m.set_condition(d, Cond.EQ)  # leaves the flags alone
    m.branch(Cond.EQ, store)
    m.compare_literal(w.object, w.target.address("_Py_FalseStruct"))
    m.branch(Cond.NE, slow)
    m.bind(store)
    m.store(m.SP, w.result, d)


def _through_python(w: UpcallWriter, type: AbiType, slow: Label, done: Label) -> None:
    """`UpcallTarget.convert` makes a canonical value, or raises; that is read through the C-API."""
    m = w.machine
    m.bind(slow)
    w.call_python(w.upcall.convert, w.object)
    m.store(m.SP, w.pair, m.RESULT)
    w.drop_object()
    m.load(w.object, m.SP, w.pair)
    m.branch_zero(w.object, w.raised)
    m.mov(m.ENTRY[0], w.object)
    if type.kind is Kind.BOOL:
        d = m.SCRATCH[1]
        m.compare_literal(w.object, w.target.address("_Py_TrueStruct"))
        m.set_condition(d, Cond.EQ)
        m.store(m.SP, w.result, d)
    elif type.kind is Kind.AGGREGATE:
        _aggregate(w)
    elif type.kind is Kind.FLOAT:
        w.call("PyFloat_AsDouble")
        m.fmov(m.FSCRATCH[0], m.FRESULT)
        _store_float(w, type)
    else:
        w.call("PyLong_AsLongLong" if type.kind is Kind.SIGNED else "PyLong_AsUnsignedLongLong")
        m.store(m.SP, w.result, m.RESULT)
    failed = m.label()
    w.call("PyErr_Occurred")
    m.branch_nonzero(m.RESULT, failed)
    m.jump(done)
    m.bind(failed)
    w.drop_object()
    m.jump(w.raised)


def _aggregate(w: UpcallWriter) -> None:
    """Exact bytes of the right size."""
    m, fine = w.machine, w.machine.label()
    w.call("PyBytes_AsString")
    m.mov(m.SCRATCH[1], m.RESULT)
    m.branch_nonzero(m.RESULT, fine)
    w.drop_object()
    m.jump(w.raised)
    m.bind(fine)
    w.store_result(Where(m.SCRATCH[1]))
