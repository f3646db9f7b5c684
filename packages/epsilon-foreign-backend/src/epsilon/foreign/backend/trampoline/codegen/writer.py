"""What the parts of a stub share while it is written: registers by role, places of arguments, cold code, exits."""

from __future__ import annotations

from collections.abc import Callable

from ...abi import AbiType, Kind
from ...binding import Marshal
from ..assembler import IntRegister, Label, VectorRegister
from ..conventions import Location, assign, travels_in_vector
from ..machine import Cond, Machine
from .blocks import Where, slots, write_load_pieces
from .frame import Frame
from .helpers import Helpers
from .spec import StubSpec
from .target import Target

#: Marshals whose conversion calls a function, so nothing may live in an argument register meanwhile.
_CALLING = frozenset((Marshal.STRING, Marshal.BUFFER, Marshal.WRITABLE))
#: ``sizeof(Py_buffer)`` and the offset of ``obj`` in it, fixed by the stable ABI (Include/pybuffer.h).
VIEW_SIZE = 80
VIEW_OBJ = 8


class Place:
    """Where a converted argument is kept until the call.

    A *final* place is the one the convention wants: the register itself, or the outgoing stack slots. Else it is in the
    frame, from which the registers are loaded last.
    """

    __slots__ = ("location", "offset", "type")

    def __init__(self, type: AbiType, location: Location, offset: int | None) -> None:
        self.type = type
        self.location = location
        self.offset = offset

    @property
    def is_vector(self) -> bool:
        return travels_in_vector(self.type)


class Writer:
    """The state of one stub being written.

    A *direct* stub converts straight into argument registers: it makes no call before the target's. Any other keeps
    converted arguments in its frame, and its own state in registers that calls preserve.
    """

    def __init__(self, spec: StubSpec, target: Target, helpers: Helpers) -> None:
        self.spec = spec
        self.target = target
        self.helpers = helpers
        self.layout = target.layout
        self.machine: Machine = target.machine()
        self.convention = target.conventions[spec.signature.convention]
        self.assignment = assign(self.convention, spec.signature)
        self.direct = not (
            spec.trusted
            or spec.release_gil
            or spec.capture_errno
            or spec.guard is not None
            or spec.makes is not None
            or _CALLING.intersection(spec.marshals)
            or any(type.kind is Kind.AGGREGATE for type in spec.signature.types)
        )
        self._choose_registers()
        self.frame = Frame(self.assignment.stack, self.assignment.alignment)
        self.places = [
            Place(type, location, self._offset(type, location))
            for type, location in zip(spec.signature.parameters, self.assignment.arguments, strict=True)
        ]
        self.views = {
            index: self.frame.reserve(VIEW_SIZE)
            for index, marshal in enumerate(spec.marshals)
            if marshal in (Marshal.BUFFER, Marshal.WRITABLE) and not spec.trusted
        }
        #: Where an aggregate result is collected.
        self.result_block = 0
        if self.result_kind is Kind.AGGREGATE:
            self.result_block = self.frame.reserve(
                slots(spec.signature.result.size), self.assignment.result.alignment
            )
        self.slow = self.machine.label()
        self.slow_with_error = self.machine.label()
        self.failed = self.machine.label()
        self.failed_with_result = self.machine.label()
        #: Two slots: the arguments of `finish`.
        self.finish_arguments = self.frame.reserve(16)
        self._cold: list[Callable[[], None]] = []

    def _choose_registers(self) -> None:
        m = self.machine
        scratch = m.SCRATCH
        #: The Python object being converted.
        self.object = scratch[0]
        if self.direct:
            self.args, self.self = scratch[1], scratch[2]
            # Where there is no fourth: a register that held an argument of the stub, and has been moved away.
            self.temp = scratch[3] if len(scratch) > 3 else m.ENTRY[0]
        else:
            self.args, self.self = m.SAVED[0], m.SAVED[1]
            self.temp = scratch[1]
        self.thread, self.errno = m.SAVED[2], m.SAVED[3]

    @property
    def saved(self) -> tuple[IntRegister, ...]:
        """The preserved registers that this stub uses."""
        if self.direct:
            return ()
        used = [self.args, self.self]
        used += [self.thread] if self.spec.release_gil else []
        used += [self.errno] if self.spec.capture_errno else []
        return tuple(used)

    def _offset(self, type: AbiType, location: Location) -> int | None:
        if location.reference or location.pieces:
            return self.frame.reserve(slots(type.size), location.alignment)
        if location.register is None:
            return location.offset
        return None if self.direct else self.frame.reserve()

    # Arguments

    def load_argument(self, index: int) -> IntRegister:
        """The object given for parameter `index`."""
        self.machine.load(self.object, self.args, 8 * index)
        return self.object

    def int_destination(self, place: Place) -> IntRegister:
        """The register to convert into: the final one in a direct stub."""
        register = place.location.register
        return register if self.direct and isinstance(register, IntRegister) else self.temp

    def vector_destination(self, place: Place) -> VectorRegister:
        """As `int_destination`, for a floating argument."""
        register = place.location.register
        return register if self.direct and isinstance(register, VectorRegister) else self.machine.FSCRATCH[0]

    def keep(self, place: Place, register: IntRegister | VectorRegister) -> None:
        """Put a converted value where it stays until the call."""
        if place.offset is None:
            return
        if isinstance(register, VectorRegister):
            self.machine.fstore(self.machine.SP, place.offset, register, place.type.size)
        else:
            self.machine.store(self.machine.SP, place.offset, register)

    def load_registers(self) -> None:
        """Move every argument that is not in its final place there."""
        m = self.machine
        for place in self.places:
            register = place.location.register
            if place.type.kind is Kind.AGGREGATE:
                self._load_aggregate(place)
            elif place.offset is not None and isinstance(register, VectorRegister):
                m.fload(register, m.SP, place.offset, place.type.size)
            elif place.offset is not None and isinstance(register, IntRegister):
                m.load(register, m.SP, place.offset)
            if place.location.mirror is not None and isinstance(register, VectorRegister):
                m.int_from_fmov(place.location.mirror, register)
        result = self.assignment.result
        if isinstance(result.register, IntRegister):
            m.lea(result.register, m.SP, self.result_block)

    def _load_aggregate(self, place: Place) -> None:
        m, location = self.machine, place.location
        assert place.offset is not None
        if not location.reference:
            write_load_pieces(m, location.pieces, Where(m.SP, place.offset))
        elif isinstance(location.register, IntRegister):
            m.lea(location.register, m.SP, place.offset)
        else:
            m.lea(self.temp, m.SP, place.offset)
            m.store(m.SP, location.offset, self.temp)

    # Objects

    def compare_object(self, register: IntRegister, name: str) -> None:
        """Compare a register with the address of a type or singleton."""
        self.machine.compare_literal(register, self.target.address(name))

    def load_type(self, register: IntRegister, object: IntRegister) -> None:
        """`register` = the type of an object."""
        assert self.layout.type_offset is not None
        self.machine.load(register, object, self.layout.type_offset)

    def load_constant(self, register: IntRegister, name: str) -> None:
        """`register` = a new reference to None, True or False."""
        self.machine.load_literal(register, self.target.address(name))
        self.own_constant(register)

    def own_constant(self, register: IntRegister) -> None:
        """Count the reference to None, True or False in a register, on versions where they are counted."""
        if not self.layout.immortal:
            assert self.layout.refcount is not None
            self.machine.increment_memory(register, self.layout.refcount.offset)

    # Control

    def call(self, name: str) -> None:
        """Call a function of the C-API or the C library."""
        self.machine.call_literal(self.target.address(name))

    def cold(self, write: Callable[[], None]) -> None:
        """Write this after all that is hot."""
        self._cold.append(write)

    def write_cold(self) -> None:
        """Write what `cold` put off; cold code may put off more."""
        while self._cold:
            self._cold.pop(0)()

    def release_views(self) -> None:
        """Give back every buffer that was taken."""
        m = self.machine
        for offset in self.views.values():
            skip = m.label()
            m.load(self.temp, m.SP, offset + VIEW_OBJ)
            m.branch_zero(self.temp, skip)
            m.lea(m.ENTRY[0], m.SP, offset)
            self.call("PyBuffer_Release")
            m.bind(skip)

    def fail_if(self, cond: Cond, label: Label | None = None) -> None:
        """Leave the inline path when the flags say so."""
        self.machine.branch(cond, label or self.slow)

    @property
    def result_is_vector(self) -> bool:
        """Does the raw result arrive in a vector register?"""
        return travels_in_vector(self.spec.signature.result)

    @property
    def result_kind(self) -> Kind:
        """The kind of the result."""
        return self.spec.signature.result.kind
