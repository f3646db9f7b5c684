"""Making and releasing callbacks: a method of their kind and a method of their own, for builds with a GIL.

Released callbacks wait in a list that is linked through their records; each is referred to by the list alone, so the
collector takes it for alive. Free slots of thunks are linked through their context words. Nobody else runs between two
instructions here, except in the functions that are called.
"""

from __future__ import annotations

from typing import NamedTuple

from ..assembler import IntRegister, Label
from ..machine import Cond, Machine
from .target import Target


class CallbackOffsets(NamedTuple):
    """Offsets in bytes in a callback's record; the first four are references."""

    function: int
    kind: int
    held: int
    """What a released callback that was running needs to the end."""
    name: int
    """What a released callback's function was called."""
    shared: int
    active: int
    slot: int
    """The address of its thunk's slot."""
    next: int
    """The callback that was released after it."""
    address: int
    """What C calls, 0 once it is released."""


class KindOffsets(NamedTuple):
    """Offsets in bytes in a kind; the last is a reference."""

    code: int
    shared: int
    control: int
    """The address of the words of `CONTROL_WORDS`."""
    released: int
    """What released callbacks have for a function."""


class LifecycleTarget(NamedTuple):
    """What these two functions must know."""

    callback: CallbackOffsets
    kind: KindOffsets
    type: int
    """The address of the type of callbacks."""
    refill: int
    """A Python function that provides free slots."""
    distance: int
    """From a thunk to its slot, in bytes."""
    depth: int
    """How many releases a released callback outlives."""
    name: int
    """The string ``__name__``."""


#: The list of released callbacks, its length, and the first free slot.
HEAD, TAIL, LENGTH, FREE = 0, 8, 16, 24
CONTROL_WORDS = 4


def write_make(target: Target, lifecycle: LifecycleTarget) -> bytes:
    """``PyObject *make(PyObject *kind, PyObject *function)``."""
    return _Make(target, lifecycle).write()


def write_release(target: Target, lifecycle: LifecycleTarget) -> bytes:
    """``PyObject *release(PyObject *callback, PyObject *)``. Twice does nothing, nor for one that is not finished."""
    return _release(target, lifecycle)


class _Make:
    def __init__(self, target: Target, lifecycle: LifecycleTarget) -> None:
        self.target, self.lifecycle = target, lifecycle
        self.m: Machine = target.machine()
        self.kind, self.function, self.made, self.slot, self.oldest = self.m.SAVED[:5]
        label = self.m.label
        self.again, self.fresh, self.have, self.failed = label(), label(), label(), label()

    def call(self, name: str) -> None:
        self.m.call_literal(self.target.address(name))

    def write(self) -> bytes:
        m, rotate, refill = self.m, self.m.label(), self.m.label()
        m.prologue(0, (self.kind, self.function, self.made, self.slot, self.oldest))
        m.mov(self.kind, m.ENTRY[0])
        m.mov(self.function, m.ENTRY[1])
        m.load_literal(m.ENTRY[0], self.lifecycle.type)
        m.mov_imm(m.ENTRY[1], 0)
        self.call("PyType_GenericAlloc")
        m.branch_zero(m.RESULT, self.failed)
        m.mov(self.made, m.RESULT)
        m.bind(self.again)
        self._oldest(rotate)
        m.bind(self.have)
        self._fill_in()
        m.mov(m.RESULT, self.made)
        m.bind(self.failed)
        m.epilogue()
        m.ret()
        self._rotate(rotate)
        self._fresh(refill)
        self._refill(refill)
        return m.finish()

    def _oldest(self, rotate: Label) -> None:
        """The slot of the callback that was released longest ago, if its time is over."""
        m, (control, temp) = self.m, self.m.ENTRY[:2]
        callback = self.lifecycle.callback
        m.load(control, self.kind, self.lifecycle.kind.control)
        m.load(temp, control, LENGTH)
        m.compare_imm(temp, self.lifecycle.depth)
        m.branch(Cond.BE, self.fresh)
        m.load(self.oldest, control, HEAD)
        m.load(temp, self.oldest, callback.active)
        m.branch_nonzero(temp, rotate)
        m.load(temp, self.oldest, callback.next)
        m.store(control, HEAD, temp)
        m.load(temp, control, LENGTH)
        m.sub_imm(temp, 1)
        m.store(control, LENGTH, temp)
        m.load(self.slot, self.oldest, callback.slot)

    def _rotate(self, here: Label) -> None:
        """The oldest is still running: it starts again at the end."""
        m, (control, temp) = self.m, self.m.ENTRY[:2]
        next = self.lifecycle.callback.next
        m.bind(here)
        m.load(temp, self.oldest, next)
        m.store(control, HEAD, temp)
        m.store_imm(self.oldest, next, 0)
        m.load(temp, control, TAIL)
        m.store(temp, next, self.oldest)
        m.store(control, TAIL, self.oldest)
        m.jump(self.fresh)

    def _fresh(self, refill: Label) -> None:
        m, (control, temp) = self.m, self.m.ENTRY[:2]
        m.bind(self.fresh)
        m.mov_imm(self.oldest, 0)
        m.load(self.slot, control, FREE)
        m.branch_zero(self.slot, refill)
        m.load(temp, self.slot, 8)
        m.store(control, FREE, temp)
        m.jump(self.have)

    def _refill(self, here: Label) -> None:
        m, refused = self.m, self.m.label()
        m.bind(here)
        m.load_literal(m.ENTRY[0], self.lifecycle.refill)
        for register in m.ENTRY[1:]:
            m.mov_imm(register, 0)
        self.call("PyObject_Vectorcall")
        m.branch_zero(m.RESULT, refused)
        m.mov(m.ENTRY[0], m.RESULT)
        self.call("Py_DecRef")
        m.jump(self.again)
        m.bind(refused)
        m.mov(m.ENTRY[0], self.made)
        self.call("Py_DecRef")
        m.mov_imm(m.RESULT, 0)
        m.jump(self.failed)

    def _fill_in(self) -> None:
        m, temp, done = self.m, self.m.ENTRY[1], self.m.label()
        callback, kind = self.lifecycle.callback, self.lifecycle.kind
        for reference, offset in ((self.function, callback.function), (self.kind, callback.kind)):
            m.mov(m.ENTRY[0], reference)
            self.call("Py_IncRef")
            m.store(self.made, offset, reference)
        m.load(temp, self.kind, kind.shared)
        m.store(self.made, callback.shared, temp)
        m.store(self.made, callback.slot, self.slot)
        m.lea(temp, self.slot, -self.lifecycle.distance)
        m.store(self.made, callback.address, temp)
        # The context first: whoever calls meanwhile must not find new code with an old context.
        m.store(self.slot, 8, self.made)
        m.load(temp, self.kind, kind.code)
        m.store(self.slot, 0, temp)
        m.branch_zero(self.oldest, done)
        m.mov(m.ENTRY[0], self.oldest)
        self.call("Py_DecRef")
        m.bind(done)


def _release(target: Target, lifecycle: LifecycleTarget) -> bytes:
    m: Machine = target.machine()
    callback, kind = lifecycle.callback, lifecycle.kind
    self, function = m.SAVED[:2]
    released, temp, done, drop = m.ENTRY[2], m.ENTRY[1], m.label(), m.label()

    def call(name: str, register: IntRegister) -> None:
        m.mov(m.ENTRY[0], register)
        m.call_literal(target.address(name))

    m.prologue(0, (self, function))
    m.mov(self, m.ENTRY[0])
    m.load(function, self, callback.function)
    m.branch_zero(function, done)
    m.load(temp, self, callback.kind)
    m.branch_zero(temp, done)
    m.load(released, temp, kind.released)
    m.compare(function, released)
    m.branch(Cond.EQ, done)
    m.store(self, callback.function, released)
    m.store_imm(self, callback.address, 0)
    m.load(m.ENTRY[3], temp, kind.control)
    _append(m, self, m.ENTRY[3], callback.next, (m.ENTRY[0], temp))
    call("Py_IncRef", released)
    call("Py_IncRef", self)
    _name(m, target, lifecycle, self, function)
    m.load(temp, self, callback.active)
    m.branch_zero(temp, drop)
    m.load(temp, self, callback.held)
    m.store(self, callback.held, function)
    m.mov(function, temp)
    m.bind(drop)
    call("Py_DecRef", function)  # the last step: this may run anything
    m.bind(done)
    m.load_literal(m.RESULT, target.address("_Py_NoneStruct"))
    if not target.layout.immortal:
        assert target.layout.refcount is not None
        m.increment_memory(m.RESULT, target.layout.refcount.offset)
    m.epilogue()
    m.ret()
    return m.finish()


def _append(
    m: Machine, item: IntRegister, control: IntRegister, next: int, temps: tuple[IntRegister, IntRegister]
) -> None:
    """Put a callback at the end of the list."""
    length, last = temps
    empty, linked = m.label(), m.label()
    m.store_imm(item, next, 0)
    m.load(length, control, LENGTH)
    m.branch_zero(length, empty)
    m.load(last, control, TAIL)
    m.store(last, next, item)
    m.jump(linked)
    m.bind(empty)
    m.store(control, HEAD, item)
    m.bind(linked)
    m.store(control, TAIL, item)
    m.add_imm(length, 1)
    m.store(control, LENGTH, length)


def _name(
    m: Machine, target: Target, lifecycle: LifecycleTarget, self: IntRegister, function: IntRegister
) -> None:
    """Remember what a Python function is called; asking anything else could run its code."""
    if target.layout.type_offset is None:
        return
    other, found = m.label(), m.label()
    m.load(m.SCRATCH[1], function, target.layout.type_offset)
    m.compare_literal(m.SCRATCH[1], target.address("PyFunction_Type"))
    m.branch(Cond.NE, other)
    m.mov(m.ENTRY[0], function)
    m.load_literal(m.ENTRY[1], lifecycle.name)
    m.call_literal(target.address("PyObject_GetAttr"))
    m.branch_nonzero(m.RESULT, found)
    m.call_literal(target.address("PyErr_Clear"))
    m.mov_imm(m.RESULT, 0)
    m.bind(found)
    m.store(self, lifecycle.callback.name, m.RESULT)
    m.bind(other)
