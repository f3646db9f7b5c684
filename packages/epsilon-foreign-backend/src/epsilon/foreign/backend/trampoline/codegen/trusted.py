"""Arguments of a trusted stub: canonical values from the fallback, read through the C-API alone.

This is the slow way, so it knows no layout: it serves also where every probe failed. Values that are not what they
should be raise what the C-API raises; they never reach C.
"""

from __future__ import annotations

from ...abi import Kind
from ...binding import Marshal
from ..machine import Cond
from .blocks import Where, write_copy
from .writer import Place, Writer


def write_trusted(w: Writer, index: int, place: Place) -> None:
    """The canonical value of parameter `index` into its place."""
    kind = place.type.kind
    object = w.load_argument(index)
    w.machine.mov(w.machine.ENTRY[0], object)
    if w.spec.marshals[index] in (Marshal.STRING, Marshal.BYTES):
        _bytes(w, place)
    elif kind is Kind.AGGREGATE:
        _aggregate(w, place)
    elif kind is Kind.FLOAT:
        _float(w, place)
    elif kind is Kind.BOOL:
        w.compare_object(object, "_Py_TrueStruct")
        w.machine.set_condition(w.temp, Cond.EQ)
        w.keep(place, w.temp)
    else:
        _integer(w, place, "PyLong_AsLongLong" if kind is Kind.SIGNED else "PyLong_AsUnsignedLongLong")


def _integer(w: Writer, place: Place, function: str) -> None:
    m, fine = w.machine, w.machine.label()
    w.call(function)
    w.keep(place, m.RESULT)
    m.compare_imm(m.RESULT, -1)
    m.branch(Cond.NE, fine)
    _fail_if_raised(w)
    m.bind(fine)


def _float(w: Writer, place: Place) -> None:
    m = w.machine
    w.call("PyFloat_AsDouble")
    if place.type.size == 4:
        m.f64_to_f32(m.FRESULT, m.FRESULT)
    w.keep(place, m.FRESULT)
    _fail_if_raised(w)


def _bytes(w: Writer, place: Place) -> None:
    m, null, done = w.machine, w.machine.label(), w.machine.label()
    # RESULT may be ENTRY[0] itself (AArch64: x0), so it is written only once the object has been looked at.
    w.compare_object(m.ENTRY[0], "_Py_NoneStruct")
    m.branch(Cond.EQ, null)
    w.call("PyBytes_AsString")
    m.branch_zero(m.RESULT, w.failed)
    m.jump(done)
    m.bind(null)
    m.mov_imm(m.RESULT, 0)
    m.bind(done)
    w.keep(place, m.RESULT)


def _aggregate(w: Writer, place: Place) -> None:
    """Exact bytes, whose size the fallback has checked."""
    m = w.machine
    assert place.offset is not None
    w.call("PyBytes_AsString")
    m.branch_zero(m.RESULT, w.failed)
    write_copy(m, w.call, Where(m.SP, place.offset), Where(m.RESULT), place.type.size, w.temp)


def _fail_if_raised(w: Writer) -> None:
    w.call("PyErr_Occurred")
    w.machine.branch_nonzero(w.machine.RESULT, w.failed)
