"""A calling convention as a table, and the one walk over a signature that all of them share.

Each convention of this folder is an instance of `Convention`, to be read beside the ABI document it names.
"""

from __future__ import annotations

from typing import NamedTuple

from ...abi import AbiType, Kind
from ...signature import Signature
from ..assembler import IntRegister, VectorRegister

#: Every stack slot here is this wide, whatever it holds.
SLOT = 8


class Convention(NamedTuple):
    """Where scalars travel. `shadow` is space below the stack arguments that belongs to the callee."""

    name: str
    integers: tuple[IntRegister, ...]
    vectors: tuple[VectorRegister, ...]
    shadow: int = 0
    positional: bool = False
    """Does each parameter use up one register of both kinds?"""
    vector_count: bool = False
    """Must a variadic call announce how many vector registers it uses?"""
    mirror_variadic: bool = False
    """Must a variadic floating argument be in the integer register of its position too?"""
    callee_saved: tuple[IntRegister | VectorRegister, ...] = ()
    """What a function of this convention preserves that those a stub calls do not."""


class Location(NamedTuple):
    """Where one argument is at the moment of the call: a register, or `offset` bytes above the stack pointer."""

    register: IntRegister | VectorRegister | None = None
    offset: int = 0
    mirror: IntRegister | None = None
    """A second register that must hold the same bits."""


class Assignment(NamedTuple):
    """Where every argument goes. `stack` is what must be reserved at the stack pointer, in bytes."""

    arguments: tuple[Location, ...]
    stack: int
    vectors: int
    """How many vector registers hold arguments."""


def travels_in_vector(type: AbiType) -> bool:
    """Is this scalar passed and returned in vector registers?"""
    return type.kind is Kind.FLOAT


def assign(convention: Convention, signature: Signature) -> Assignment:
    """Give every parameter of a signature of scalars its place."""
    integers, vectors, stack = 0, 0, convention.shadow
    placed = []
    for index, type in enumerate(signature.parameters):
        floating = travels_in_vector(type)
        pool = convention.vectors if floating else convention.integers
        used = index if convention.positional else vectors if floating else integers
        if used >= len(pool):
            placed.append(Location(None, stack))
            stack += SLOT
            continue
        placed.append(Location(pool[used], 0, _mirror(convention, signature, index)))
        integers += not floating
        vectors += floating
    return Assignment(tuple(placed), stack, vectors)


def _mirror(convention: Convention, signature: Signature, index: int) -> IntRegister | None:
    first = signature.variadic_from
    if not convention.mirror_variadic or first is None or index < first:
        return None
    return convention.integers[index] if travels_in_vector(signature.parameters[index]) else None
