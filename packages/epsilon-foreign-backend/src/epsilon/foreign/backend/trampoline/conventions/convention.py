"""A calling convention as a table, and the one walk over a signature that all of them share.

Each convention of this folder is an instance of `Convention`, to be read beside the ABI document it names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...abi import AbiType, Kind
from ...signature import Signature
from ..assembler import IntRegister, VectorRegister

#: Every stack slot here is this wide, whatever it holds.
SLOT = 8
#: What the stack pointer is a multiple of at every call, in every convention here.
STACK_ALIGNMENT = 16


class Part(NamedTuple):
    """Bytes of an aggregate that travel in one register; `size` is what is loaded and stored there."""

    start: int
    size: int = SLOT
    vector: bool = False


class Travel(NamedTuple):
    """How an aggregate travels, in words that all conventions share.

    It has `parts` in registers while there are enough of them, and is `in_memory` where no registers ever hold it: an
    argument on the stack, or a copy of it somewhere (`Convention.references`), and a result where the caller says.
    """

    parts: tuple[Part, ...] = ()
    in_memory: bool = False
    alignment: int = SLOT
    """What its place on the stack, or that of its copy, is a multiple of."""
    even: bool = False
    """Must its first register have an even number?"""
    returnable: bool = True
    """False where a result would be in a register that code here does not reach."""


class Results(NamedTuple):
    """The registers of results, in the order of their use."""

    integers: tuple[IntRegister, ...]
    vectors: tuple[VectorRegister, ...]


class Convention(NamedTuple):
    """Where values travel. `shadow` is space below the stack arguments that belongs to the callee."""

    name: str
    integers: tuple[IntRegister, ...]
    vectors: tuple[VectorRegister, ...]
    results: Results
    travel: Callable[[AbiType], Travel]
    """How an aggregate travels."""
    shadow: int = 0
    positional: bool = False
    """Does each parameter use up one register of both kinds?"""
    vector_count: bool = False
    """Must a variadic call announce how many vector registers it uses?"""
    mirror_variadic: bool = False
    """Must a variadic floating argument be in the integer register of its position too?"""
    callee_saved: tuple[IntRegister | VectorRegister, ...] = ()
    """What a function of this convention preserves that those a stub calls do not."""
    references: bool = False
    """Is an argument that no registers hold passed as the address of a copy?"""
    exhausts: bool = False
    """Does an argument that is not in registers end the registers of its kind for those after it?"""
    result_pointer: IntRegister | None = None
    """Where the address for a result in memory is passed; None: as if it were the first argument, and the function
    returns it."""


class Piece(NamedTuple):
    """Bytes of an aggregate, and the register they are in."""

    register: IntRegister | VectorRegister
    start: int
    size: int


class Location(NamedTuple):
    """Where one value is at the moment of the call, or of the return.

    A scalar is in a register, or `offset` bytes above the stack pointer. So is an aggregate's address where it is
    passed by `reference`; else an aggregate is in `pieces` in registers, or without any on the stack.
    """

    register: IntRegister | VectorRegister | None = None
    offset: int = 0
    mirror: IntRegister | None = None
    """A second register that must hold the same bits."""
    pieces: tuple[Piece, ...] = ()
    reference: bool = False
    alignment: int = SLOT
    """Of an aggregate in memory: what its address is a multiple of."""


class Assignment(NamedTuple):
    """Where every value goes. `stack` is what must be reserved at the stack pointer, in bytes."""

    arguments: tuple[Location, ...]
    stack: int
    vectors: int
    """How many vector registers hold arguments."""
    alignment: int
    """What the stack pointer must be a multiple of."""
    result: Location
    """Of an aggregate; for one in memory, where its address is passed."""


def travels_in_vector(type: AbiType) -> bool:
    """Is this scalar passed and returned in vector registers?"""
    return type.kind is Kind.FLOAT


def can_travel(convention: Convention, signature: Signature) -> bool:
    """Can code here pass and return the aggregates of a signature?

    Not where compilers differ: on structs without a size, and on those that are nothing but padding.
    """
    for type in signature.types:
        if type.kind is Kind.AGGREGATE:
            travel = convention.travel(type)
            if not (type.size and (travel.parts or travel.in_memory)):
                return False
            if type is signature.result and not travel.returnable:
                return False
    return True


def assign(convention: Convention, signature: Signature) -> Assignment:
    """Give every parameter, and an aggregate result, its place."""
    return _Walk(convention, signature).assign()


class _Walk:
    """Over the parameters in order: the registers used so far, and the bytes of stack."""

    def __init__(self, convention: Convention, signature: Signature) -> None:
        self.convention = convention
        self.signature = signature
        self.integers = self.vectors = 0
        self.stack = convention.shadow
        self.alignment = STACK_ALIGNMENT

    def assign(self) -> Assignment:
        result = self._result()
        placed = [
            self._aggregate(type) if type.kind is Kind.AGGREGATE else self._scalar(index, type)
            for index, type in enumerate(self.signature.parameters)
        ]
        return Assignment(tuple(placed), self.stack, self.vectors, self.alignment, result)

    def _result(self) -> Location:
        type, convention = self.signature.result, self.convention
        if type.kind is not Kind.AGGREGATE:
            return Location()
        travel = convention.travel(type)
        if not travel.in_memory:
            return Location(pieces=_pieces(travel, convention.results.integers, convention.results.vectors))
        register = convention.result_pointer or convention.integers[0]
        if convention.result_pointer is None:
            self._use(1, 0)
        return Location(register, reference=True, alignment=max(travel.alignment, type.alignment))

    def _scalar(self, index: int, type: AbiType) -> Location:
        vector = travels_in_vector(type)
        free = self._free_vectors() if vector else self._free_integers()
        if not free:
            return Location(None, self._push(SLOT, SLOT))
        mirror = self._mirror(index, type)
        self._use(int(not vector), int(vector))
        return Location(free[0], 0, mirror)

    def _aggregate(self, type: AbiType) -> Location:
        travel, integers, vectors = self.convention.travel(type), self._free_integers(), self._free_vectors()
        if travel.in_memory and self.convention.references:
            return self._reference(travel)
        if travel.even and self.integers % 2:
            self._use(1, 0)
            integers = integers[1:]
        wanted = sum(not part.vector for part in travel.parts), sum(part.vector for part in travel.parts)
        if not travel.in_memory and wanted[0] <= len(integers) and wanted[1] <= len(vectors):
            self._use(*wanted)
            return Location(pieces=_pieces(travel, integers, vectors))
        if self.convention.exhausts:
            self._use(len(integers) if wanted[0] else 0, len(vectors) if wanted[1] else 0)
        return Location(None, self._push(type.size, travel.alignment), alignment=travel.alignment)

    def _reference(self, travel: Travel) -> Location:
        free = self._free_integers()
        if not free:
            return Location(None, self._push(SLOT, SLOT), reference=True, alignment=travel.alignment)
        self._use(1, 0)
        return Location(free[0], reference=True, alignment=travel.alignment)

    def _free_integers(self) -> tuple[IntRegister, ...]:
        return self.convention.integers[self.integers :]

    def _free_vectors(self) -> tuple[VectorRegister, ...]:
        return self.convention.vectors[self.vectors :]

    def _use(self, integers: int, vectors: int) -> None:
        if self.convention.positional:
            integers = vectors = max(integers, vectors)
        self.integers += integers
        self.vectors += vectors

    def _push(self, size: int, alignment: int) -> int:
        """The offset of the next argument on the stack."""
        offset = -(-self.stack // alignment) * alignment
        self.stack = offset + -(-size // SLOT) * SLOT
        self.alignment = max(self.alignment, alignment)
        return offset

    def _mirror(self, index: int, type: AbiType) -> IntRegister | None:
        first = self.signature.variadic_from
        if (
            not self.convention.mirror_variadic
            or first is None
            or index < first
            or not travels_in_vector(type)
        ):
            return None
        return self.convention.integers[self.integers]


def _pieces(
    travel: Travel, integers: tuple[IntRegister, ...], vectors: tuple[VectorRegister, ...]
) -> tuple[Piece, ...]:
    free: tuple[Iterator[IntRegister | VectorRegister], ...] = iter(integers), iter(vectors)
    return tuple(Piece(next(free[part.vector]), part.start, part.size) for part in travel.parts)
