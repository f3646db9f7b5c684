"""Numbers that callbacks are given: int and float objects, made anew or used again.

Making and freeing an object for every call is a fifth of what a short callback costs. When the function has returned
and only the stub still refers to the object, nobody can tell whether the next call's number is written into it. It
waits in the spare word of the parameter's row.
"""

from __future__ import annotations

from ...abi import AbiType, Kind
from ..assembler import IntRegister, Label
from ..cpython import IntLayout
from ..machine import Cond, Machine
from .upcall_spec import ROW_SIZE, ROW_SPARE, SHARED_ROWS
from .upcall_writer import UpcallWriter

#: Below that, CPython has one object for each int (https://docs.python.org/3/c-api/long.html#c.PyLong_FromLong).
_SHARED_INTS = 257


def is_reused(w: UpcallWriter, type: AbiType) -> bool:
    """Are objects for parameters of this type used again?"""
    if type.kind is Kind.FLOAT:
        return w.reuses and w.layout.float_offset is not None
    return w.reuses and type.kind in (Kind.SIGNED, Kind.UNSIGNED) and w.layout.int_layout is not None


def write_number(w: UpcallWriter, index: int) -> None:
    """RESULT = the object for parameter `index`, which is an integer or a float."""
    type = w.spec.signature.parameters[index]
    (_float if type.kind is Kind.FLOAT else _integer)(w, index, type)


def _spare(index: int) -> int:
    return SHARED_ROWS + ROW_SIZE * index + ROW_SPARE


def _take_spare(w: UpcallWriter, index: int, table: IntRegister, none: Label) -> None:
    """RESULT = the parameter's spare object, which is this call's from now on; to `none` if there is none."""
    m = w.machine
    m.load(table, w.context, w.record.shared)
    m.load(m.RESULT, table, _spare(index))
    m.branch_zero(m.RESULT, none)
    m.store_imm(table, _spare(index), 0)


def _float(w: UpcallWriter, index: int, type: AbiType) -> None:
    m, fresh, done = w.machine, w.machine.label(), w.machine.label()
    m.fload(m.FRESULT, m.SP, w.incoming[index], type.size)
    if type.size == 4:
        m.f32_to_f64(m.FRESULT, m.FRESULT)
    if not is_reused(w, type):
        w.call("PyFloat_FromDouble")
        return
    assert w.layout.float_offset is not None
    _take_spare(w, index, m.ENTRY[1], fresh)
    m.fstore(m.RESULT, w.layout.float_offset, m.FRESULT)
    m.bind(done)

    def write_fresh() -> None:
        m.bind(fresh)
        w.call("PyFloat_FromDouble")
        m.jump(done)

    w.cold(write_fresh)


def _integer(w: UpcallWriter, index: int, type: AbiType) -> None:
    m, signed = w.machine, type.kind is Kind.SIGNED
    make = "PyLong_FromUnsignedLongLong" if type.size == 8 and not signed else "PyLong_FromLong"
    value, (size, sign, table) = m.SCRATCH[1], m.ENTRY[1:]  # of which none is RESULT in either machine
    m.load(value, m.SP, w.incoming[index], type.size, signed)
    if not is_reused(w, type):
        m.mov(m.ENTRY[0], value)
        w.call(make)
        return
    layout, fresh, done = w.layout.int_layout, m.label(), m.label()
    assert layout is not None
    _write_magnitude(m, size, sign, value, signed)
    m.compare_imm(size, _SHARED_INTS)
    m.branch(Cond.B, fresh)
    m.compare_imm(size, 1 << layout.digit_bits)
    m.branch(Cond.AE, fresh)
    _write_head(m, layout, sign, signed)
    _take_spare(w, index, table, fresh)
    m.store(m.RESULT, layout.word_offset, sign)
    m.store(m.RESULT, layout.digits_offset, size, layout.digit_size)
    m.bind(done)

    def write_fresh() -> None:
        m.bind(fresh)
        m.mov(m.ENTRY[0], value)
        w.call(make)
        m.jump(done)

    w.cold(write_fresh)


def _write_magnitude(
    m: Machine, size: IntRegister, sign: IntRegister, value: IntRegister, signed: bool
) -> None:
    """`size` = the absolute value, `sign` = 0, or all ones for a negative one."""
    m.mov(size, value)
    if signed:
        m.mov(sign, value)
        m.sar_imm(sign, 63)
        m.xor(size, sign)
        m.sub(size, sign)


def _write_head(m: Machine, layout: IntLayout, sign: IntRegister, signed: bool) -> None:
    """`sign` becomes the word of an int of one digit."""
    one = 1 << 3 if layout.tagged else 1
    if not signed:
        m.mov_imm(sign, one)
        return
    if layout.tagged:
        m.and_imm(sign, 2)
    m.or_imm(sign, one)  # of what is not tagged: 1, or still -1


def write_kept(w: UpcallWriter, type: AbiType, object: IntRegister, other: Label) -> None:
    """To `other` unless a number's object has room for every number that is written into spares: an int has it that
    has one digit. Ruins ENTRY[3]."""
    m, temp, layout = w.machine, w.machine.ENTRY[3], w.layout.int_layout
    if type.kind is Kind.FLOAT:
        return
    assert layout is not None
    m.load(temp, object, layout.word_offset)
    if layout.tagged:
        m.compare_imm(temp, layout.compact_below)
        m.branch(Cond.AE, other)
    else:
        m.add_imm(temp, 1)
        m.compare_imm(temp, 2)
        m.branch(Cond.A, other)
