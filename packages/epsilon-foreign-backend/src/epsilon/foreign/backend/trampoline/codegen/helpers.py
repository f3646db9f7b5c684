"""Routines that stubs share: an exact int or bool of any size to 64 bits, with no call into the interpreter.

They have a convention of their own: the object comes in SCRATCH[0], the value leaves in SCRATCH[0], the flags say EQ
when it fits, and every other register is as it was. So even a stub with half its arguments in registers may use them.
"""

from __future__ import annotations

from typing import NamedTuple

from ..assembler import IntRegister, Label
from ..cpython import IntLayout
from ..machine import Cond, Machine
from .target import Target


class Helpers(NamedTuple):
    """Addresses of the routines; 0 where the layout of int is unknown and no stub will ask."""

    as_int64: int = 0
    as_uint64: int = 0


def write_helpers(target: Target) -> tuple[bytes, bytes] | None:
    """Code for `Helpers`, in the order of its fields, or None when the layout of int is unknown."""
    layout = target.layout.int_layout
    if layout is None or target.layout.type_offset is None:
        return None
    return _IntReader(target, layout, signed=True).write(), _IntReader(target, layout, signed=False).write()


class _IntReader:
    def __init__(self, target: Target, layout: IntLayout, *, signed: bool) -> None:
        self.target = target
        self.layout = layout
        self.signed = signed
        self.machine: Machine = target.machine()
        self.value: IntRegister = self.machine.SCRATCH[0]
        self.word, self.count, self.digit = self.machine.SAVED[:3]

    def write(self) -> bytes:
        m = self.machine
        m.prologue(0, (self.word, self.count, self.digit))
        fail, positive, fits = m.label(), m.label(), m.label()
        self._check_type(fail)
        self._read_word()
        self._magnitude(fail)
        self._branch_positive(positive)
        if self.signed:
            # A magnitude of up to 2**63 is right: negated, its sign bit is set.
            m.neg(self.value)
            m.branch(Cond.NEG, fits)
        m.branch_zero(self.value, fits)
        m.jump(fail)
        m.bind(positive)
        if self.signed:
            m.compare_imm(self.value, 0)
            m.branch(Cond.LT, fail)
        m.bind(fits)
        m.compare(self.value, self.value)
        m.epilogue()
        m.ret()
        m.bind(fail)
        m.compare_imm(m.FP, 0)  # never equal
        m.epilogue()
        m.ret()
        return m.finish()

    def _check_type(self, fail: Label) -> None:
        m, exact = self.machine, self.machine.label()
        assert self.target.layout.type_offset is not None
        m.load(self.word, self.value, self.target.layout.type_offset)
        m.compare_literal(self.word, self.target.address("PyLong_Type"))
        m.branch(Cond.EQ, exact)
        m.compare_literal(self.word, self.target.address("PyBool_Type"))  # a bool is laid out as an int
        m.branch(Cond.NE, fail)
        m.bind(exact)

    def _read_word(self) -> None:
        """word = as in memory; count = the number of digits."""
        m, layout = self.machine, self.layout
        m.load(self.word, self.value, layout.word_offset)
        m.mov(self.count, self.word)
        if layout.tagged:
            m.shr_imm(self.count, 3)
        else:
            m.neg(self.count)
            m.compare_imm(self.word, 0)
            m.select(self.count, Cond.GE, self.word)

    def _branch_positive(self, positive: Label) -> None:
        m = self.machine
        if self.layout.tagged:
            m.test_imm(self.word, 2)
            m.branch(Cond.EQ, positive)
        else:
            m.compare_imm(self.word, 0)
            m.branch(Cond.GE, positive)

    def _magnitude(self, fail: Label) -> None:
        """value = |int|; fails when it takes more than 64 bits."""
        m, size, bits = self.machine, self.layout.digit_size, self.layout.digit_bits
        at = self.layout.digits_offset
        two, done = m.label(), m.label()
        m.mov(self.digit, self.value)  # from here on the object; `value` collects
        one = m.label()
        m.compare_imm(self.count, 1)
        m.branch(Cond.BE, one)
        m.load(self.value, self.digit, at + size, size)
        m.shl_imm(self.value, bits)
        m.compare_imm(self.count, 2)
        m.branch(Cond.EQ, two)
        m.compare_imm(self.count, 3)
        m.branch(Cond.NE, fail)
        m.load(self.count, self.digit, at + 2 * size, size)
        m.compare_imm(self.count, 1 << (64 - 2 * bits))
        m.branch(Cond.AE, fail)
        m.shl_imm(self.count, 2 * bits)
        m.or_(self.value, self.count)
        m.bind(two)
        m.load(self.digit, self.digit, at, size)
        m.or_(self.value, self.digit)
        m.jump(done)
        m.bind(one)
        m.load(self.value, self.digit, at, size)
        if not self.layout.tagged:
            # 0 has no digit, and nothing says what stands where it would be.
            m.select(self.value, Cond.B, self.count)
        m.bind(done)
