"""From what C passed to a Python object: one new reference in RESULT, or 0 with an exception set."""

from __future__ import annotations

from ...abi import Kind
from ...binding import Marshal
from ..assembler import Label
from ..machine import Cond
from .blocks import Where
from .objects import Maker
from .upcall_numbers import is_reused, write_kept, write_number
from .upcall_spec import ROW_EXTRA, ROW_SIZE, ROW_SPARE, ROW_TEMPLATE, SHARED_ROWS, Likeness
from .upcall_writer import UpcallWriter

_FROM_POINTER = {Marshal.STRING: "PyUnicode_FromString", Marshal.BYTES: "PyBytes_FromString"}


def write_argument(w: UpcallWriter, index: int) -> None:
    """Make the object for parameter `index` of the value saved in the frame."""
    m, type, slot = w.machine, w.spec.signature.parameters[index], w.incoming[index]
    likeness = w.spec.makes[index]
    if type.kind is Kind.AGGREGATE:
        _aggregate(w, index, likeness)
    elif likeness is not None:
        _pointer_object(w, index, likeness)
    elif type.kind is Kind.POINTER:
        _pointer(w, slot, _FROM_POINTER.get(w.spec.marshals[index], "PyLong_FromUnsignedLongLong"))
    elif type.kind is Kind.BOOL:
        m.load(m.ENTRY[0], m.SP, slot, 1)
        w.call("PyBool_FromLong")
    else:
        write_number(w, index)


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
    """A `Memory` object bounded by its pointee. One that is NULL has no bounds, nor has one of unknown size."""
    m, row, memory = w.machine, SHARED_ROWS + ROW_SIZE * index, w.upcall.memory
    # Free once the object is made, and not RESULT in either machine.
    table, temp, done, made, fresh = m.ENTRY[1], m.ENTRY[3], m.label(), m.label(), m.label()
    m.load(table, w.context, w.record.shared)
    if w.reuses:
        m.load(m.RESULT, table, row + ROW_SPARE)
        m.branch_zero(m.RESULT, fresh)
        m.store_imm(table, row + ROW_SPARE, 0)
    else:
        m.jump(fresh)
    m.bind(made)
    m.load(temp, m.SP, w.incoming[index])
    m.store(m.RESULT, memory.address, temp)
    m.load(table, table, row + ROW_EXTRA)
    unbounded, bounds = m.label(), m.label()
    m.branch_zero(temp, unbounded)
    m.branch_zero(table, unbounded)
    m.add(table, temp)
    m.bind(bounds)
    m.store(m.RESULT, memory.lower, temp)
    m.store(m.RESULT, memory.upper, table)
    m.bind(done)

    def write_unbounded() -> None:
        m.bind(unbounded)
        m.mov_imm(temp, 0)
        m.mov_imm(table, 0)
        m.jump(bounds)

    w.cold(write_unbounded)
    w.cold(lambda: _new_object(w, row, likeness, fresh, made, done))


def _new_object(
    w: UpcallWriter, row: int, likeness: Likeness, here: Label, made: Label, failed: Label
) -> None:
    w.machine.bind(here)
    _maker(w, row).write_new(likeness, failed)
    w.machine.jump(made)


def _maker(w: UpcallWriter, row: int) -> Maker:
    return Maker(
        w.target, w.machine, lambda register: w.machine.load(register, w.context, w.record.shared), row
    )


def _aggregate(w: UpcallWriter, index: int, likeness: Likeness | None) -> None:
    """Bytes, or a `Memory` object that holds them."""
    m, type, location = w.machine, w.spec.signature.parameters[index], w.assignment.arguments[index]
    source = Where(m.SP, w.incoming[index])
    if location.reference:
        source = Where(m.SCRATCH[1])  # the first is RESULT in one machine
    elif not location.pieces:
        source = Where(m.FP, m.incoming + location.offset)
    if likeness is None:
        if location.reference:
            m.load(source.base, m.SP, w.incoming[index])
        m.lea(m.ENTRY[0], source.base, source.offset)
        m.mov_imm(m.ENTRY[1], type.size)
        w.call("PyBytes_FromStringAndSize")
        return
    failed, maker = m.label(), _maker(w, SHARED_ROWS + ROW_SIZE * index)
    maker.write_new(likeness, failed)
    if location.reference:
        m.load(source.base, m.SP, w.incoming[index])
    maker.write_contents(source, type.size)
    m.bind(failed)


def give_back(w: UpcallWriter, index: int) -> None:
    """Drop the reference to an argument's object, or put the object aside for the next call.

    Making and freeing an object costs more than the rest of a short callback. An object that only this call still
    refers to, and that is as it was made, is used again.
    """
    m, type, likeness = w.machine, w.spec.signature.parameters[index], w.spec.makes[index]
    object, done = m.ENTRY[0], m.label()
    m.load(object, m.SP, w.objects + 8 * index)
    pointer = w.reuses and likeness is not None and type.kind is Kind.POINTER
    if not pointer and not is_reused(w, type):
        w.call("Py_DecRef")
        return
    assert w.layout.count_offset is not None
    table, temp, drop = m.ENTRY[1], m.ENTRY[3], m.label()
    spare = SHARED_ROWS + ROW_SIZE * index + ROW_SPARE
    m.load(temp, object, w.layout.count_offset, 4)
    m.compare_imm(temp, 1)
    m.branch(Cond.NE, drop)
    m.load(table, w.context, w.record.shared)
    m.load(temp, table, spare)
    m.branch_nonzero(temp, drop)
    if likeness is None:
        write_kept(w, type, object, drop)
    else:
        _compare(w, index, likeness, drop)
    m.store(table, spare, object)
    m.bind(done)

    def write_drop() -> None:
        m.bind(drop)
        w.call("Py_DecRef")
        m.jump(done)

    w.cold(write_drop)


def _compare(w: UpcallWriter, index: int, likeness: Likeness, other: Label) -> None:
    """To `other` unless the pointer object in ENTRY[0] is as it was made; the table is in ENTRY[1]."""
    m, (object, table, template, temp) = w.machine, w.machine.ENTRY
    m.load(template, table, SHARED_ROWS + ROW_SIZE * index + ROW_TEMPLATE)
    for offset in likeness.words:
        m.load(temp, object, offset)
        m.compare_memory(temp, template, offset)
        m.branch(Cond.NE, other)
    for offset in likeness.others:  # a weak reference to it, or a slot that was set
        m.load(temp, object, offset)
        m.branch_nonzero(temp, other)
