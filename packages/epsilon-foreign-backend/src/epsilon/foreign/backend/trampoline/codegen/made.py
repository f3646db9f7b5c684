"""Results that become `Memory` objects: new ones, or ones that an earlier call made and nobody refers to any more.

Making an object and freeing it costs more than the rest of a short call. Where `Binding.make` allows it, a record keeps
the last two objects that its function returned: with one of them in a variable, the other is free when the next call
replaces it there.
"""

from __future__ import annotations

from ...abi import Kind
from ..assembler import Label
from ..machine import Cond
from .blocks import Where
from .objects import Maker
from .spec import TABLE_RESULT
from .upcall_spec import ROW_TEMPLATE, ROW_TYPE, Likeness
from .writer import Writer


def write_object(w: Writer, likeness: Likeness) -> None:
    """RESULT = the object that `Binding.make` asks for, of the raw result; 0 when there is no memory."""
    m, type, address = w.machine, w.spec.signature.result, w.finish_arguments
    maker = Maker(w.target, m, lambda register: m.load(register, w.self, w.target.record.table), TABLE_RESULT)
    fresh, made, failed = m.label(), m.label(), m.label()
    if type.kind is Kind.POINTER:
        m.store(m.SP, address, m.RESULT)
    reuses = w.spec.reuses and w.layout.count_offset is not None and w.layout.type_offset is not None
    if reuses:
        maker.load_table(m.ENTRY[1])
        m.load(m.ENTRY[2], m.ENTRY[1], TABLE_RESULT + ROW_TEMPLATE)
        second = m.label()
        _use_spare(w, 0, likeness, second)
    else:
        maker.write_new(likeness, failed)
    m.bind(made)
    if type.kind is Kind.POINTER:
        m.load(m.ENTRY[3], m.SP, address)
        maker.write_pointee(m.ENTRY[3])
    else:
        maker.write_contents(Where(m.SP, w.result_block), type.size)
    m.bind(failed)

    def write_others() -> None:
        m.bind(second)
        _use_spare(w, 1, likeness, fresh)
        m.jump(made)
        m.bind(fresh)
        maker.write_new(likeness, failed)
        _keep(w)
        maker.load_table(m.ENTRY[1])
        m.jump(made)

    if reuses:
        w.cold(write_others)


def _use_spare(w: Writer, number: int, likeness: Likeness, other: Label) -> None:
    """RESULT = a spare object, if the record has the only reference to it and it is as it was made."""
    m, (table, template, temp) = w.machine, w.machine.ENTRY[1:]
    assert w.layout.count_offset is not None
    assert w.layout.type_offset is not None
    m.load(m.RESULT, w.self, w.target.record.spares[number])
    m.branch_zero(m.RESULT, other)
    m.load(temp, m.RESULT, w.layout.count_offset, 4)
    m.compare_imm(temp, 1)
    m.branch(Cond.NE, other)
    m.load(temp, m.RESULT, w.layout.type_offset)
    m.compare_memory(temp, table, TABLE_RESULT + ROW_TYPE)
    m.branch(Cond.NE, other)
    for offset in likeness.words:
        m.load(temp, m.RESULT, offset)
        m.compare_memory(temp, template, offset)
        m.branch(Cond.NE, other)
    for offset in likeness.others:  # a weak reference to it, or a slot that was set
        m.load(temp, m.RESULT, offset)
        m.branch_nonzero(temp, other)
    m.store_imm(m.RESULT, w.layout.count_offset, 2, 4)


def _keep(w: Writer) -> None:
    """Make the new object in RESULT the first spare, and drop the second one."""
    m, slot, old, none = w.machine, w.finish_arguments + 8, w.machine.ENTRY[0], w.machine.label()
    first, second = w.target.record.spares
    temp = m.ENTRY[1]
    assert w.layout.count_offset is not None
    m.store_imm(m.RESULT, w.layout.count_offset, 2, 4)
    m.store(m.SP, slot, m.RESULT)
    m.mov(temp, m.RESULT)
    m.load(old, w.self, second)
    m.load(m.ENTRY[2], w.self, first)
    m.store(w.self, second, m.ENTRY[2])
    m.store(w.self, first, temp)
    m.branch_zero(old, none)
    w.call("Py_DecRef")
    m.bind(none)
    m.load(m.RESULT, m.SP, slot)
