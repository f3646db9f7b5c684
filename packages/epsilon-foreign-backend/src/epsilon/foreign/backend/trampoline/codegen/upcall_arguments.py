"""From what C passed to a Python object: one new reference in RESULT, or 0 with an exception set."""

from __future__ import annotations

from ...abi import Kind
from ...binding import Marshal
from .upcall_spec import ROW_POINTEE_SIZE, ROW_SIZE, ROW_TEMPLATE, ROW_TYPE, SHARED_ROWS, Likeness
from .upcall_writer import UpcallWriter

_FROM_POINTER = {Marshal.STRING: "PyUnicode_FromString", Marshal.BYTES: "PyBytes_FromString"}


def write_argument(w: UpcallWriter, index: int) -> None:
    """Make the object for parameter `index` of the value saved in the frame."""
    m, type, slot = w.machine, w.spec.signature.parameters[index], w.incoming[index]
    likeness = w.spec.pointees[index]
    if likeness is not None:
        _pointer_object(w, index, likeness)
    elif type.kind is Kind.POINTER:
        _pointer(w, slot, _FROM_POINTER.get(w.spec.marshals[index], "PyLong_FromUnsignedLongLong"))
    elif type.kind is Kind.FLOAT:
        m.fload(m.FRESULT, m.SP, slot, type.size)
        if type.size == 4:
            m.f32_to_f64(m.FRESULT, m.FRESULT)
        w.call("PyFloat_FromDouble")
    elif type.kind is Kind.BOOL:
        m.load(m.ENTRY[0], m.SP, slot, 1)
        w.call("PyBool_FromLong")
    else:
        signed = type.kind is Kind.SIGNED
        m.load(m.ENTRY[0], m.SP, slot, type.size, signed)
        w.call("PyLong_FromUnsignedLongLong" if type.size == 8 and not signed else "PyLong_FromLong")


def _pointer(w: UpcallWriter, slot: int, function: str) -> None:
    m, null, done = w.machine, w.machine.label(), w.machine.label()
    m.load(m.ENTRY[0], m.SP, slot)
    m.branch_zero(m.ENTRY[0], null)
    w.call(function)
    m.bind(done)

    def write_null() -> None:
        m.bind(null)
        w.load_none(m.RESULT)
        m.jump(done)

    w.cold(write_null)


def _pointer_object(w: UpcallWriter, index: int, likeness: Likeness) -> None:
    """A `Memory` object bounded by its one pointee; one that is NULL is bounded by nothing."""
    m, row, memory = w.machine, SHARED_ROWS + ROW_SIZE * index, w.upcall.memory
    # Free once the object is made, and not RESULT in either machine.
    table, template, temp, done = m.ENTRY[1], m.ENTRY[2], m.ENTRY[3], m.label()
    m.load(table, w.context, w.record.shared)
    m.load(m.ENTRY[0], table, row + ROW_TYPE)
    m.mov_imm(m.ENTRY[1], 0)
    w.call("PyType_GenericAlloc")
    m.branch_zero(m.RESULT, done)
    m.load(table, w.context, w.record.shared)
    m.load(template, table, row + ROW_TEMPLATE)
    for offset in likeness.words:  # the rest of a fresh object is zero
        m.load(temp, template, offset)
        m.store(m.RESULT, offset, temp)
    if likeness.nones and not w.layout.immortal:
        assert w.layout.refcount is not None
        m.load_literal(template, w.target.address("_Py_NoneStruct"))
        for _ in range(likeness.nones):
            m.increment_memory(template, w.layout.refcount.offset)
    m.load(temp, m.SP, w.incoming[index])
    m.branch_zero(temp, done)
    m.store(m.RESULT, memory.address, temp)
    m.store(m.RESULT, memory.lower, temp)
    m.load(table, table, row + ROW_POINTEE_SIZE)
    m.add(temp, table)
    m.store(m.RESULT, memory.upper, temp)
    m.bind(done)
