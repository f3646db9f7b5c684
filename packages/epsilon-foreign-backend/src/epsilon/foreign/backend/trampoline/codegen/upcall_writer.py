"""What the parts of an upcall stub share while it is written."""

from __future__ import annotations

from collections.abc import Callable

from ..assembler import IntRegister
from ..conventions import assign, travels_in_vector
from ..machine import Machine
from .attaching import Attaching
from .blocks import Where, slots, write_copy
from .frame import Frame
from .helpers import Helpers
from .keeping import FRAME as KEEPING
from .keeping import Keeping
from .target import Target
from .upcall_spec import UpcallSpec, UpcallTarget


class UpcallWriter:
    """The state of one upcall stub being written: registers by role, slots of the frame, exits."""

    def __init__(self, spec: UpcallSpec, target: Target, upcall: UpcallTarget, helpers: Helpers) -> None:
        self.spec, self.target, self.upcall, self.helpers = spec, target, upcall, helpers
        self.record = upcall.record
        self.layout = target.layout
        self.machine: Machine = target.machine()
        self.convention = target.conventions[spec.signature.convention]
        self.assignment = assign(self.convention, spec.signature)
        self.free_threaded = target.layout.head_size != 16
        #: May objects be used again? Whoever sees a count of one must be alone.
        self.reuses = target.layout.count_offset is not None
        #: The record; how the thread was attached; the object that the function returned.
        self.context, self.state, self.object = self.machine.SAVED[:3]
        self.attaching = Attaching(target, self.machine, self.state)
        self._reserve(len(spec.signature.parameters))
        label = self.machine.label
        self.raised, self.done = label(), label()
        self._cold: list[Callable[[], None]] = []

    def _reserve(self, count: int) -> None:
        self.frame = Frame(self.convention.shadow)
        # One more before the first, for the callee's use (PY_VECTORCALL_ARGUMENTS_OFFSET).
        self.objects = self.frame.reserve(8 * (count + 1)) + 8
        #: Where each argument is kept that is not on the caller's stack anyway.
        self.incoming = [self.frame.reserve(self._kept_size(index)) for index in range(count)]
        #: The raw result, or where C wants it.
        self.result = self.frame.reserve(8 if self.assignment.result.reference else self._result_size())
        self.pair = self.frame.reserve(16)
        self.error = [self.frame.reserve() for _ in range(3)]
        self.keeping = Keeping(self.target, self.machine, self.frame.reserve(KEEPING))
        self.preserved = [(register, self.frame.reserve(16, 16)) for register in self.convention.callee_saved]

    def _kept_size(self, index: int) -> int:
        type, location = self.spec.signature.parameters[index], self.assignment.arguments[index]
        return slots(type.size) if location.pieces else 8

    def _result_size(self) -> int:
        return slots(self.spec.signature.result.size)

    @property
    def result_is_vector(self) -> bool:
        """Does C expect the result in a vector register?"""
        return travels_in_vector(self.spec.signature.result)

    def call(self, name: str) -> None:
        """Call a function of the C-API or the C library."""
        self.machine.call_literal(self.target.address(name))

    def call_python(self, function: int, register: IntRegister) -> None:
        """Call a Python function with the object in a register and the record."""
        m = self.machine
        m.store(m.SP, self.pair, register)
        m.store(m.SP, self.pair + 8, self.context)
        m.load_literal(m.ENTRY[0], function)
        m.lea(m.ENTRY[1], m.SP, self.pair)
        m.mov_imm(m.ENTRY[2], 2)
        m.mov_imm(m.ENTRY[3], 0)
        self.call("PyObject_Vectorcall")

    def load_none(self, register: IntRegister) -> None:
        """`register` = a new reference to None."""
        m = self.machine
        m.load_literal(register, self.target.address("_Py_NoneStruct"))
        if not self.layout.immortal:
            assert self.layout.refcount is not None
            m.increment_memory(register, self.layout.refcount.offset)

    def store_result(self, source: Where) -> None:
        """Give C an aggregate: to where it wants it, or to the slots that its registers are loaded from. Ruins SCRATCH,
        of which the second may be the source's base."""
        m, to = self.machine, Where(self.machine.SP, self.result)
        if self.assignment.result.reference:
            to = Where(m.SCRATCH[2])
            m.load(to.base, m.SP, self.result)
        write_copy(m, self.call, to, source, self.spec.signature.result.size, m.SCRATCH[0])

    def drop_object(self) -> None:
        """Give back the reference in `object`."""
        self.machine.mov(self.machine.ENTRY[0], self.object)
        self.call("Py_DecRef")

    def cold(self, write: Callable[[], None]) -> None:
        """Write this after all that is hot."""
        self._cold.append(write)

    def write_cold(self) -> None:
        """Write what `cold` put off."""
        while self._cold:
            self._cold.pop(0)()
