"""Arguments that are `Memory` objects: they lend their address, or the bytes of an aggregate.

Only instances of exactly the classes that `Binding` names are taken, whose addresses are in the record's table. The
memory must be live, for every thread; else the fallback says what is wrong.
"""

from __future__ import annotations

from ...binding import Marshal
from ...memobject import LIVE, MEMORY, READONLY
from ..assembler import Label
from ..machine import Cond
from .blocks import Where, write_copy
from .spec import type_offset
from .writer import Place, Writer


def write_lent_pointer(w: Writer, index: int, place: Place) -> None:
    """The address of an object of an accepted class; None is NULL."""
    m, d, accept = w.machine, w.int_destination(place), w.spec.accept(index)
    assert accept is not None
    other, done = m.label(), m.label()
    _branch_unless_accepted(w, index, other, place)
    object = w.load_argument(index)
    if not accept.readonly:
        m.load(d, object, MEMORY.flags)
        m.test_imm(d, READONLY)
        w.fail_if(Cond.NE)
    _check_live(w, place)
    m.load(d, object, MEMORY.address)
    m.bind(done)
    w.keep(place, d)

    def write_other() -> None:
        m.bind(other)
        object = w.load_argument(index)
        m.mov_imm(d, 0)
        w.compare_object(object, "_Py_NoneStruct")
        w.fail_if(Cond.NE)
        m.jump(done)

    w.cold(write_other)


def write_aggregate(w: Writer, index: int, place: Place) -> None:
    """The bytes of an object of an accepted class, or of exact bytes where the marshal takes them."""
    m, d, size = w.machine, w.temp, place.type.size
    takes_bytes = w.spec.marshals[index] is Marshal.VALUE
    other, found = m.label(), m.label()
    if w.spec.accept(index) is None:
        _load_bytes(w, index, size)
    else:
        _branch_unless_accepted(w, index, other if takes_bytes else w.slow, place)
        object = w.load_argument(index)
        _check_live(w, place)
        m.load(d, object, MEMORY.upper)
        m.load(object, object, MEMORY.address)
        m.sub(d, object)
        m.compare_imm(d, size)
        w.fail_if(Cond.LT)
        m.bind(found)
    assert place.offset is not None
    write_copy(m, w.call, Where(m.SP, place.offset), Where(w.object), size, d)

    def write_other() -> None:
        m.bind(other)
        _load_bytes(w, index, size)
        m.jump(found)

    if w.spec.accept(index) is not None and takes_bytes:
        w.cold(write_other)


def _branch_unless_accepted(w: Writer, index: int, other: Label, place: Place) -> None:
    """Compare the argument's type with those of the table. Ruins `Writer.object`."""
    m, d, accept, hit = w.machine, w.int_destination(place), w.spec.accept(index), w.machine.label()
    assert accept is not None
    w.load_type(w.object, w.load_argument(index))
    m.load(d, w.self, w.target.record.table)
    for number in range(accept.types):
        m.compare_memory(w.object, d, type_offset(w.spec, index, number))
        if number < accept.types - 1:
            m.branch(Cond.EQ, hit)
        else:
            w.fail_if(Cond.NE, other)
    m.bind(hit)


def _check_live(w: Writer, place: Place) -> None:
    m, d = w.machine, w.int_destination(place)
    m.load(d, w.object, MEMORY.live)
    m.branch_zero(d, w.slow)  # an object that was never initialised
    m.load(d, d, 0)
    m.compare_imm(d, LIVE)
    w.fail_if(Cond.NE)


def _load_bytes(w: Writer, index: int, size: int) -> None:
    """`Writer.object` = the address of the content of exact bytes of that size."""
    m, d, layout = w.machine, w.temp, w.layout.bytes_layout
    if layout is None:
        m.jump(w.slow)
        return
    object = w.load_argument(index)
    w.load_type(d, object)
    w.compare_object(d, "PyBytes_Type")
    w.fail_if(Cond.NE)
    m.load(d, object, layout.size_offset)
    m.compare_imm(d, size)
    w.fail_if(Cond.NE)
    m.lea(object, object, layout.data_offset)
