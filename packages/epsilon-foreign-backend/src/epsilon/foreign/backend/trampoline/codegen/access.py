"""Stubs that read and write numbers in the memory of `Memory` objects: members of structs, elements of arrays.

They are C functions of the slots that the interpreter calls: ``getter`` and ``setter`` of a PyGetSetDef
(https://docs.python.org/3/c-api/structures.html#c.PyGetSetDef), and the mapping slots
(https://docs.python.org/3/c-api/typeobj.html#mapping-object-structures). Whatever is not plain, a dead cell, an index
out of bounds, a value that does not fit, goes to a Python function that does the same in full.
"""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from ...abi import AbiType, Kind
from ..assembler import IntRegister, Label
from ..machine import Cond, Machine
from .integers import write_compact
from .target import Target


class Words(NamedTuple):
    """Offsets of the words of a `Memory` object, and what they say when all is well."""

    address: int
    lower: int
    upper: int
    live: int
    flags: int
    alive: int
    """The value of a cell whose memory may be used."""
    readonly: int
    """The bit of the flags that forbids writing."""


class Closure(NamedTuple):
    """Offsets in the block that a member's PyGetSetDef points to: the member's, and the Python functions."""

    offset: int = 0
    get: int = 8
    set: int = 16


CLOSURE = Closure()

_NO_DELETION = ctypes.create_string_buffer(b"C data cannot be deleted")


class Access:
    """Writes access stubs; each method returns the machine code of one."""

    def __init__(self, target: Target, words: Words) -> None:
        self.target, self.words = target, words

    def getter(self, type: AbiType) -> bytes:
        """``PyObject *get(PyObject *self, void *closure)``."""
        w = AccessStub(self.target, self.words)
        m = w.m
        self_, closure = m.ENTRY[:2]
        place = m.SCRATCH[0]
        w.check_live(self_, place)
        m.load(place, self_, self.words.address)
        m.load(m.SCRATCH[1], closure, CLOSURE.offset)
        m.add(place, m.SCRATCH[1])
        w.return_value(type, place)
        m.bind(w.slow)
        m.load(m.SCRATCH[0], closure, CLOSURE.get)
        w.fall_back(m.SCRATCH[0], (self_,))
        m.ret()
        return m.finish()

    def setter(self, type: AbiType | None) -> bytes:
        """``int set(PyObject *self, PyObject *value, void *closure)``; None for `type`: always in Python."""
        w = AccessStub(self.target, self.words)
        m = w.m
        self_, value, closure = m.ENTRY[:3]
        m.branch_zero(value, w.delete)
        if type is None:
            m.jump(w.slow)
        else:
            w.check_writable(self_)
            w.check_live(self_, m.SCRATCH[0])
            w.read_number(type, value)
            m.load(m.SCRATCH[0], self_, self.words.address)
            m.load(m.ENTRY[3], closure, CLOSURE.offset)
            m.add(m.SCRATCH[0], m.ENTRY[3])
            w.store_number(type, m.SCRATCH[0])
        m.bind(w.slow)
        m.load(m.SCRATCH[0], closure, CLOSURE.set)
        w.fall_back(m.SCRATCH[0], (self_, value))
        w.status()
        w.refuse_deletion()
        return m.finish()

    def get_item(self, type: AbiType, fallback: int) -> bytes:
        """``PyObject *subscript(PyObject *self, PyObject *key)``."""
        w = AccessStub(self.target, self.words)
        m = w.m
        self_, key = m.ENTRY[:2]
        w.find_item(type, self_, key)
        w.return_value(type, m.SCRATCH[1])
        m.bind(w.slow)
        m.load_literal(m.SCRATCH[0], fallback)
        w.fall_back(m.SCRATCH[0], (self_, key))
        m.ret()
        return m.finish()

    def set_item(self, type: AbiType, fallback: int) -> bytes:
        """``int ass_subscript(PyObject *self, PyObject *key, PyObject *value)``."""
        w = AccessStub(self.target, self.words)
        m = w.m
        self_, key, value = m.ENTRY[:3]
        m.branch_zero(value, w.delete)
        w.check_writable(self_)
        w.find_item(type, self_, key)
        m.mov(m.ENTRY[3], m.SCRATCH[1])
        w.read_number(type, value)
        w.store_number(type, m.ENTRY[3])
        m.bind(w.slow)
        m.load_literal(m.SCRATCH[0], fallback)
        w.fall_back(m.SCRATCH[0], (self_, key, value))
        w.status()
        w.refuse_deletion()
        return m.finish()


class AccessStub:
    """One access stub being written. ENTRY registers keep the arguments for the fallback; there is no frame until
    that is called."""

    def __init__(self, target: Target, words: Words) -> None:
        self.words = words
        self.target = target
        self.layout = target.layout
        self.m: Machine = target.machine()
        self.slow: Label = self.m.label()
        self.delete: Label = self.m.label()

    # Checks: each leaves for `slow`

    def check_live(self, self_: IntRegister, temp: IntRegister) -> None:
        """The cell says that the memory may be used."""
        m = self.m
        m.load(temp, self_, self.words.live)
        m.branch_zero(temp, self.slow)  # an object that was never initialised
        m.load(temp, temp, 0)
        m.compare_imm(temp, self.words.alive)
        m.branch(Cond.NE, self.slow)

    def check_writable(self, self_: IntRegister) -> None:
        """The object is not const."""
        m = self.m
        m.load(m.SCRATCH[0], self_, self.words.flags)
        m.test_imm(m.SCRATCH[0], self.words.readonly)
        m.branch(Cond.NE, self.slow)

    def find_item(self, type: AbiType, self_: IntRegister, key: IntRegister) -> None:
        """SCRATCH[1] = the address of the element of that number: an exact int of one digit, not negative, in bounds,
        and an address that is aligned."""
        m, index, temp = self.m, self.m.SCRATCH[1], self.m.SCRATCH[0]
        assert self.layout.int_layout is not None
        assert self.layout.type_offset is not None
        self.check_live(self_, temp)
        m.load(temp, key, self.layout.type_offset)
        m.compare_literal(temp, self.target.address("PyLong_Type"))
        m.branch(Cond.NE, self.slow)
        m.mov(temp, key)
        write_compact(m, self.layout.int_layout, index, temp, self.slow)
        m.compare_imm(index, 0)
        m.branch(Cond.LT, self.slow)  # from the end, for an array
        shift = type.size.bit_length() - 1
        if shift:
            m.shl_imm(index, shift)
        m.load(temp, self_, self.words.address)
        m.add(index, temp)
        m.load(temp, self_, self.words.lower)
        m.compare(index, temp)
        m.branch(Cond.B, self.slow)
        m.load(temp, self_, self.words.upper)
        m.sub_imm(temp, type.size)
        m.branch(Cond.B, self.slow)  # no bounds: upper is 0
        m.compare(index, temp)
        m.branch(Cond.A, self.slow)
        if shift:
            m.test_imm(index, type.size - 1)
            m.branch(Cond.NE, self.slow)

    # Values

    def return_value(self, type: AbiType, place: IntRegister) -> None:
        """Return the object of the number at an address."""
        m, address = self.m, self.target.address
        if type.kind is Kind.FLOAT:
            m.fload(m.FRESULT, place, 0, type.size)
            if type.size == 4:
                m.f32_to_f64(m.FRESULT, m.FRESULT)
            m.jump_literal(address("PyFloat_FromDouble"))
        elif type.kind is Kind.BOOL:
            m.load(m.ENTRY[0], place, 0, 1)
            m.jump_literal(address("PyBool_FromLong"))
        else:
            signed = type.kind is Kind.SIGNED
            m.load(m.ENTRY[0], place, 0, type.size, signed)
            wide = type.size == 8 and not signed
            m.jump_literal(address("PyLong_FromUnsignedLongLong" if wide else "PyLong_FromLong"))

    def read_number(self, type: AbiType, value: IntRegister) -> None:
        """The number that an object is, checked: in SCRATCH[1], or in FSCRATCH[0]. Ruins SCRATCH[0]."""
        if type.kind is Kind.FLOAT:
            self._read_float(type, value)
        elif type.kind is Kind.BOOL:
            self._read_bool(value)
        else:
            self._read_integer(type, value)

    def _check_type(self, value: IntRegister, name: str) -> None:
        m = self.m
        assert self.layout.type_offset is not None
        m.load(m.SCRATCH[0], value, self.layout.type_offset)
        m.compare_literal(m.SCRATCH[0], self.target.address(name))
        m.branch(Cond.NE, self.slow)

    def _read_float(self, type: AbiType, value: IntRegister) -> None:
        m = self.m
        assert self.layout.float_offset is not None
        self._check_type(value, "PyFloat_Type")
        m.fload(m.FSCRATCH[0], value, self.layout.float_offset)
        if type.size == 4:
            m.f64_to_f32(m.FSCRATCH[0], m.FSCRATCH[0])

    def _read_bool(self, value: IntRegister) -> None:
        m, d, done = self.m, self.m.SCRATCH[1], self.m.label()
        m.compare_literal(value, self.target.address("_Py_TrueStruct"))
        m.set_condition(d, Cond.EQ)  # leaves the flags alone
        m.branch(Cond.EQ, done)
        m.compare_literal(value, self.target.address("_Py_FalseStruct"))
        m.branch(Cond.NE, self.slow)
        m.bind(done)

    def _read_integer(self, type: AbiType, value: IntRegister) -> None:
        m, d, object = self.m, self.m.SCRATCH[1], self.m.SCRATCH[0]
        assert self.layout.int_layout is not None
        signed = type.kind is Kind.SIGNED
        self._check_type(value, "PyLong_Type")
        m.mov(object, value)
        write_compact(m, self.layout.int_layout, d, object, self.slow)
        if type.size < 4:
            m.extend(object, d, type.size, signed)
            m.compare(object, d)
            m.branch(Cond.NE, self.slow)
        elif not signed:
            m.compare_imm(d, 0)
            m.branch(Cond.LT, self.slow)

    def write_number(self, type: AbiType, place: IntRegister) -> None:
        """Write what `read_number` read."""
        m = self.m
        if type.kind is Kind.FLOAT:
            m.fstore(place, 0, m.FSCRATCH[0], type.size)
        else:
            m.store(place, 0, m.SCRATCH[1], type.size)

    def store_number(self, type: AbiType, place: IntRegister) -> None:
        """Write what `read_number` read, and return 0."""
        self.write_number(type, place)
        self.m.mov_imm(self.m.RESULT, 0)
        self.m.ret()

    def own_none(self, none: IntRegister) -> None:
        """Count one more reference to None, whose address is in a register."""
        if not self.layout.immortal:
            assert self.layout.refcount is not None
            self.m.increment_memory(none, self.layout.refcount.offset)

    # The long way

    def fall_back(self, function: IntRegister, arguments: tuple[IntRegister, ...]) -> None:
        """RESULT = what a Python function makes of these objects; the frame is gone again."""
        m = self.m
        m.prologue(8 * len(arguments))
        for position, argument in enumerate(arguments):
            m.store(m.SP, 8 * position, argument)
        m.mov(m.ENTRY[0], function)
        m.lea(m.ENTRY[1], m.SP, 0)
        m.mov_imm(m.ENTRY[2], len(arguments))
        m.mov_imm(m.ENTRY[3], 0)
        m.call_literal(self.target.address("PyObject_Vectorcall"))
        m.epilogue()

    def status(self) -> None:
        """Return 0 for an object in RESULT, which is given back, and -1 for none."""
        m, failed = self.m, self.m.label()
        m.branch_zero(m.RESULT, failed)
        m.prologue(0)
        m.mov(m.ENTRY[0], m.RESULT)
        m.call_literal(self.target.address("Py_DecRef"))
        m.mov_imm(m.RESULT, 0)
        m.epilogue()
        m.ret()
        m.bind(failed)
        m.mov_imm(m.RESULT, -1)
        m.ret()

    def refuse_deletion(self) -> None:
        """There is no value: somebody wants the member or element gone."""
        m = self.m
        m.bind(self.delete)
        m.prologue(0)
        m.load_literal(m.ENTRY[0], self.target.address("PyExc_TypeError"))
        m.load_literal(m.ENTRY[1], ctypes.addressof(_NO_DELETION))
        m.call_literal(self.target.address("PyErr_SetString"))
        m.mov_imm(m.RESULT, -1)
        m.epilogue()
        m.ret()
