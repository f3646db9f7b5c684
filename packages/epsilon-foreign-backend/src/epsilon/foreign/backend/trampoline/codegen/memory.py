"""Inline conversion of arguments that lend their memory: str, bytes, and any buffer.

The memory is the object's own, and the caller's reference keeps it for the length of the call; a buffer is taken and
given back in the stub.
"""

from __future__ import annotations

from ...binding import Marshal
from ..assembler import IntRegister, Label
from ..machine import Cond
from .writer import Place, Writer

#: Flags of PyObject_GetBuffer (https://docs.python.org/3/c-api/buffer.html).
_FLAGS = {Marshal.BUFFER: 0, Marshal.WRITABLE: 1}


def write_string(w: Writer, index: int, place: Place, scratch: int) -> None:
    """str as UTF-8 or bytes, neither with a NUL inside; None is NULL. `scratch` is a slot for the length."""
    m, d, layout = w.machine, w.temp, w.layout
    text, encode, check, done = m.label(), m.label(), m.label(), m.label()
    object = w.load_argument(index)
    w.load_type(d, object)
    w.compare_object(d, "PyUnicode_Type")
    m.branch(Cond.EQ, text)
    if layout.bytes_layout is not None:
        data = m.label()
        w.compare_object(d, "PyBytes_Type")
        m.branch(Cond.EQ, data)
        w.cold(lambda: _load_bytes(w, data, check, scratch))
    w.compare_object(object, "_Py_NoneStruct")
    w.fail_if(Cond.NE)
    _store_null(w, place)
    m.jump(done)

    m.bind(text)
    start = m.ENTRY[0]
    if layout.str_layout is None:
        m.jump(encode)
    else:
        m.load(d, object, layout.str_layout.state_offset, 4)
        m.and_imm(d, layout.str_layout.state_mask)
        m.compare_imm(d, layout.str_layout.state_mask)
        m.branch(Cond.NE, encode)
        _measured(w, object, layout.str_layout.length_offset, layout.str_layout.data_offset, scratch)
    m.bind(check)
    w.keep(place, start)
    w.call("strlen")
    m.compare_memory(m.RESULT, m.SP, scratch)
    w.fail_if(Cond.NE)
    m.bind(done)
    w.cold(lambda: _encode(w, encode, check, scratch))


def _measured(w: Writer, object: IntRegister, length: int, data: int, scratch: int) -> None:
    """Store the length that the object says it has, and point ENTRY[0] at its bytes."""
    m = w.machine
    m.load(w.temp, object, length)
    m.store(m.SP, scratch, w.temp)
    m.lea(m.ENTRY[0], object, data)


def _load_bytes(w: Writer, here: Label, then: Label, scratch: int) -> None:
    m, layout = w.machine, w.layout.bytes_layout
    assert layout is not None
    m.bind(here)
    _measured(w, w.object, layout.size_offset, layout.data_offset, scratch)
    m.jump(then)


def _encode(w: Writer, here: Label, then: Label, scratch: int) -> None:
    """A str that is not ASCII: CPython keeps the UTF-8 with the object once it has made it."""
    m = w.machine
    m.bind(here)
    m.mov(m.ENTRY[0], w.object)
    m.lea(m.ENTRY[1], m.SP, scratch)
    w.call("PyUnicode_AsUTF8AndSize")
    m.branch_zero(m.RESULT, w.slow_with_error)
    m.mov(m.ENTRY[0], m.RESULT)
    m.jump(then)


def _store_null(w: Writer, place: Place) -> None:
    w.machine.mov_imm(w.temp, 0)
    w.keep(place, w.temp)


def write_bytes(w: Writer, index: int, place: Place) -> None:
    """bytes as they are, None as NULL."""
    m, layout = w.machine, w.layout.bytes_layout
    if layout is None:
        m.jump(w.slow)
        return
    d = w.int_destination(place)
    other, done = m.label(), m.label()
    object = w.load_argument(index)
    w.load_type(d, object)
    w.compare_object(d, "PyBytes_Type")
    m.branch(Cond.NE, other)
    m.lea(d, object, layout.data_offset)
    m.bind(done)
    w.keep(place, d)

    def write_other() -> None:
        m.bind(other)
        m.mov_imm(d, 0)
        w.compare_object(object, "_Py_NoneStruct")
        w.fail_if(Cond.NE)
        m.jump(done)

    w.cold(write_other)


def write_buffer(w: Writer, index: int, place: Place) -> None:
    """The memory of any contiguous buffer (a writable one where asked), None as NULL; bytes need no view."""
    m, d, marshal = w.machine, w.temp, w.spec.marshals[index]
    layout = w.layout.bytes_layout
    other, done = m.label(), m.label()
    object = w.load_argument(index)
    if marshal is Marshal.BUFFER and layout is not None:
        w.load_type(d, object)
        w.compare_object(d, "PyBytes_Type")
        m.branch(Cond.NE, other)
        m.lea(d, object, layout.data_offset)
        w.keep(place, d)
        m.bind(done)
        w.cold(lambda: _take(w, index, place, other, done))
    else:
        _take(w, index, place, other, done)
        m.bind(done)


def _take(w: Writer, index: int, place: Place, here: Label, done: Label) -> None:
    m, d, view = w.machine, w.temp, w.views[index]
    taken = m.label()
    m.bind(here)
    m.mov_imm(d, 0)
    w.compare_object(w.object, "_Py_NoneStruct")
    m.branch(Cond.EQ, taken)
    m.mov(m.ENTRY[0], w.object)
    m.lea(m.ENTRY[1], m.SP, view)
    m.mov_imm(m.ENTRY[2], _FLAGS[w.spec.marshals[index]])
    w.call("PyObject_GetBuffer")
    m.compare_imm(m.RESULT, 0, size=4)
    m.branch(Cond.NE, w.slow_with_error)
    if w.target.record.closed:  # meanwhile, by Python code that says what the object's buffer is
        m.load(d, w.self, w.target.record.closed)
        w.compare_object(d, "_Py_TrueStruct")
        m.branch(Cond.EQ, w.slow)
    m.load(d, m.SP, view)
    m.bind(taken)
    w.keep(place, d)
    m.jump(done)
