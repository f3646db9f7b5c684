"""Around a defect of libffi up to 3.4.6 on System V x86-64: some aggregates travel as their two registers.

An aggregate of two eightbytes, the first INTEGER and the second SSE, whose first half takes the sixth and
last general register: libffi copies all of its 16 bytes there, over the first vector register
(https://github.com/libffi/libffi/pull/848). Such an aggregate is in registers whole (System V 3.2.3), so an
integer and a double in its place travel in the same two registers, whatever the version of libffi.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from . import aggregates
from .abi import DOUBLE, UINT64, AbiType, Kind
from .binding import Binding, Marshal
from .signature import is_long_double

GENERAL = 6
VECTOR = 8
HALVES = (UINT64, DOUBLE)
_HALVES = struct.Struct("=Qd")


class Split(NamedTuple):
    """What to pass instead: one type and marshal an argument, and what makes its values; None for the same
    ones.
    """

    parameters: tuple[AbiType, ...]
    marshals: tuple[Marshal, ...]
    variadic_from: int | None
    expand: Callable[[tuple[Any, ...]], list[Any]] | None


def split(binding: Binding) -> Split:
    """The arguments of `binding` as libffi must be given them."""
    signature = binding.signature
    hit = _affected(signature.types) if aggregates.convention() == "sysv" else frozenset()
    if not hit:
        return Split(signature.parameters, binding.marshals, signature.variadic_from, None)
    types: list[AbiType] = []
    marshals: list[Marshal] = []
    for i, (type, marshal) in enumerate(zip(signature.parameters, binding.marshals, strict=True)):
        types += HALVES if i in hit else (type,)
        marshals += (Marshal.VALUE, Marshal.VALUE) if i in hit else (marshal,)
    variadic = signature.variadic_from
    if variadic is not None:
        variadic += sum(i < variadic for i in hit)

    def expand(values: tuple[Any, ...]) -> list[Any]:
        expanded: list[Any] = []
        for i, value in enumerate(values):
            expanded += (
                _HALVES.unpack(aggregates.content(signature.parameters[i], HALVES, value))
                if i in hit
                else (value,)
            )
        return expanded

    return Split(tuple(types), tuple(marshals), variadic, expand)


def with_expansion(call: Any, expand: Callable[[tuple[Any, ...]], list[Any]] | None) -> Any:
    """`call` taking the values that `expand` makes; unchanged where there is nothing to expand."""
    return call if expand is None else lambda *values: call(*expand(values))


def _affected(types: tuple[AbiType, ...]) -> frozenset[int]:
    """The positions of the parameters that meet the defect. `types` begins with the result."""
    result, *parameters = types
    # A result in memory takes the first general register for its address.
    general = int(result.kind is Kind.AGGREGATE and result.size > aggregates.REGISTERS)
    vector = 0
    hit = set()
    for i, type in enumerate(parameters):
        if is_long_double(type):
            continue
        integers, doubles = _registers(type)
        if general + integers > GENERAL or vector + doubles > VECTOR:
            continue  # on the stack; later arguments may still have registers
        if general == GENERAL - 1 and type.kind is Kind.AGGREGATE and aggregates.shape(type) == HALVES:
            hit.add(i)
        general += integers
        vector += doubles
    return frozenset(hit)


def _registers(type: AbiType) -> tuple[int, int]:
    """How many general and vector registers a value takes, where there are enough."""
    if type.kind is Kind.FLOAT:
        return 0, 1
    if type.kind is Kind.COMPLEX:
        type = aggregates.as_aggregate(type)
    if type.kind is not Kind.AGGREGATE:
        return 1, 0
    if type.size > aggregates.REGISTERS:
        return 0, 0
    members = aggregates.shape(type) or ()
    return members.count(UINT64), members.count(DOUBLE)
