"""Making objects that hold or point to foreign data, in the likeness of a template.

What differs from class to class is in a table of words that comes with the function or the callback: a row has the
type, the template, and the size of what is pointed to or where in the object the data lie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...memobject import MEMORY
from ..assembler import IntRegister, Label
from ..machine import Machine
from .blocks import Where, write_copy
from .target import Target
from .upcall_spec import ROW_EXTRA, ROW_TEMPLATE, ROW_TYPE, Likeness


class Maker(NamedTuple):
    """Writes code that makes one object; `load_table` leaves the table's address in a register."""

    target: Target
    machine: Machine
    load_table: Callable[[IntRegister], None]
    row: int
    """Where the row begins in the table."""

    def write_new(self, likeness: Likeness, failed: Label) -> None:
        """RESULT = a new object, ENTRY[1] = the table; RESULT = 0, and `failed`, when there is no memory."""
        m, layout = self.machine, self.target.layout
        # Free once the object is made, and not RESULT in either machine.
        table, template, temp = m.ENTRY[1:]
        self.load_table(table)
        m.load(m.ENTRY[0], table, self.row + ROW_TYPE)
        m.mov_imm(m.ENTRY[1], 0)
        m.call_literal(self.target.address("PyType_GenericAlloc"))
        m.branch_zero(m.RESULT, failed)
        self.load_table(table)
        m.load(template, table, self.row + ROW_TEMPLATE)
        for offset in likeness.words:  # the rest of a fresh object is zero
            m.load(temp, template, offset)
            m.store(m.RESULT, offset, temp)
        if likeness.nones and not layout.immortal:
            assert layout.refcount is not None
            m.load_literal(template, self.target.address("_Py_NoneStruct"))
            for _ in range(likeness.nones):
                m.increment_memory(template, layout.refcount.offset)

    def write_pointee(self, address: IntRegister) -> None:
        """The object in RESULT points to an address, for as many bytes as the row says; none are no bounds.

        The table is in ENTRY[1], and is ruined, as is the address, which must not be in RESULT.
        """
        m, table = self.machine, self.machine.ENTRY[1]
        unbounded, bounded = m.label(), m.label()
        m.store(m.RESULT, MEMORY.address, address)
        m.load(table, table, self.row + ROW_EXTRA)
        m.branch_zero(address, unbounded)
        m.branch_nonzero(table, bounded)
        m.bind(unbounded)
        m.mov_imm(address, 0)
        m.mov_imm(table, 0)
        m.bind(bounded)
        m.store(m.RESULT, MEMORY.lower, address)
        m.add(table, address)
        m.store(m.RESULT, MEMORY.upper, table)

    def write_contents(self, source: Where, size: int) -> None:
        """The object in RESULT holds `size` bytes of its own, copied from `source`, which is not RESULT.

        The table is in ENTRY[1]; ENTRY[2] and ENTRY[3] are ruined. More bytes than are copied inline are not held.
        """
        m, (table, temp, data) = self.machine, self.machine.ENTRY[1:]
        m.load(data, table, self.row + ROW_EXTRA)
        m.add(data, m.RESULT)
        write_copy(m, _no_call, Where(data), source, size, temp)
        m.store(m.RESULT, MEMORY.address, data)
        m.store(m.RESULT, MEMORY.lower, data)
        m.add_imm(data, size)
        m.store(m.RESULT, MEMORY.upper, data)


def _no_call(name: str) -> None:
    raise AssertionError(f"{name} would ruin the registers in use")
