"""Inline conversion of scalar arguments: int, bool, float, None.

Every function emits code that leaves the C value in its place, or leaves for the fallback; `index` is the argument's
position.
"""

from __future__ import annotations

from ...abi import Kind
from ..assembler import IntRegister
from ..machine import Cond
from .integers import write_compact
from .writer import Place, Writer


def write_integer(w: Writer, index: int, place: Place, *, nullable: bool = False) -> None:
    """An exact int (or bool) that fits the type; with `nullable`, None is 0."""
    m, layout, type = w.machine, w.layout.int_layout, place.type
    if layout is None:
        m.jump(w.slow)
        return
    d = w.int_destination(place)
    cold, check, done = m.label(), m.label(), m.label()
    object = w.load_argument(index)
    w.load_type(d, object)
    w.compare_object(d, "PyLong_Type")
    m.branch(Cond.NE, cold)
    write_compact(m, layout, d, object, cold)
    m.bind(check)
    _check_range(w, d, place)
    m.bind(done)
    w.keep(place, d)

    def write_cold() -> None:
        m.bind(cold)
        object = w.load_argument(index)
        unsigned = type.kind is not Kind.SIGNED
        if nullable:
            _null(w, object, d)
            m.branch(Cond.EQ, done)
        m.call_literal(w.helpers.as_uint64 if unsigned and type.size == 8 else w.helpers.as_int64)
        w.fail_if(Cond.NE)
        m.mov(d, object)
        if type.size == 8:
            m.jump(done)
            return
        if type.size == 4:
            m.extend(object, d, 4, not unsigned)
            m.compare(object, d)
            w.fail_if(Cond.NE)
        m.jump(check)

    w.cold(write_cold)


def _null(w: Writer, object: IntRegister, d: IntRegister) -> None:
    """d = 0, and EQ, when the object is None; d is ruined otherwise."""
    m = w.machine
    m.mov_imm(d, 0)
    w.compare_object(object, "_Py_NoneStruct")


def _check_range(w: Writer, d: IntRegister, place: Place) -> None:
    """Leave when the int64 in d does not fit. A signed type of 32 bits or more holds any one-digit int."""
    m, type = w.machine, place.type
    signed = type.kind is Kind.SIGNED
    if type.size >= 4:
        if not signed:
            m.compare_imm(d, 0)
            w.fail_if(Cond.LT)
        return
    m.extend(w.object, d, type.size, signed)
    m.compare(w.object, d)
    w.fail_if(Cond.NE)


def write_bool(w: Writer, index: int, place: Place) -> None:
    """True or False; 0 and 1 take the slow way."""
    m = w.machine
    d, done = w.int_destination(place), m.label()
    object = w.load_argument(index)
    w.compare_object(object, "_Py_TrueStruct")
    m.set_condition(d, Cond.EQ)  # leaves the flags alone
    m.branch(Cond.EQ, done)
    w.compare_object(object, "_Py_FalseStruct")
    w.fail_if(Cond.NE)
    m.bind(done)
    w.keep(place, d)


def write_float(w: Writer, index: int, place: Place) -> None:
    """An exact float; an int or bool that fits 64 bits is rounded as ``float(i)`` rounds it."""
    m, layout = w.machine, w.layout
    if layout.float_offset is None:
        m.jump(w.slow)
        return
    d = w.vector_destination(place)
    cold, convert = m.label(), m.label()
    object = w.load_argument(index)
    w.load_type(w.temp, object)
    w.compare_object(w.temp, "PyFloat_Type")
    m.branch(Cond.NE, cold)
    m.fload(d, object, layout.float_offset)
    m.bind(convert)
    if place.type.size == 4:
        m.f64_to_f32(d, d)
    w.keep(place, d)

    def write_cold() -> None:
        m.bind(cold)
        if layout.int_layout is None:
            m.jump(w.slow)
            return
        m.call_literal(w.helpers.as_int64)  # the object is still in its register
        w.fail_if(Cond.NE)
        m.i64_to_f64(d, w.object)
        m.jump(convert)

    w.cold(write_cold)
