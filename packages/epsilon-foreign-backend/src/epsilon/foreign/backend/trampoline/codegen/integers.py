"""Reading an exact int of one digit: the common case, inline."""

from __future__ import annotations

from ..assembler import IntRegister, Label
from ..cpython import IntLayout
from ..machine import Cond, Machine


def write_compact(m: Machine, layout: IntLayout, d: IntRegister, object: IntRegister, cold: Label) -> None:
    """d = the value of an exact int of at most one digit; others leave for `cold`. Ruins the object's register."""
    m.load(d, object, layout.word_offset)
    if layout.tagged:
        m.compare_imm(d, layout.compact_below)
        m.branch(Cond.AE, cold)
        m.load(object, object, layout.digits_offset, layout.digit_size)
        # The two low bits are 0, 1, 2 for positive, zero, negative: 1 - bits is the sign.
        m.and_imm(d, 3)
        m.neg(d)
        m.add_imm(d, 1)
    else:
        m.add_imm(d, 1)
        m.compare_imm(d, 2)
        m.branch(Cond.A, cold)
        m.load(object, object, layout.digits_offset, layout.digit_size)
        m.sub_imm(d, 1)
    m.mul(d, object)
