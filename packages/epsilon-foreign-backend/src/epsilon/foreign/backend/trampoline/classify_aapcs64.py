"""How AArch64 passes aggregates: AAPCS64 5.9.5 and 6.8.2
(https://github.com/ARM-software/abi-aa/blob/main/aapcs64/aapcs64.rst).

What fits in no registers that are left goes to the stack whole, and ends the registers of its kind for all
later arguments. There it lies at a multiple of `stack_alignment`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..abi import AbiType, Kind
from ..flattening import scalars

REGISTER = 8
MOST_BYTES = 16
MOST_MEMBERS = 4
WIDEST_BASE = 16

#: An argument is the address of a copy; a result is written where the address in X8 says.
REFERENCE: Final = None


class Homogeneous(NamedTuple):
    """A homogeneous floating-point aggregate: `count` values of `base`, one in each vector register."""

    base: AbiType
    count: int  # type: ignore[assignment]  # a tuple's method of that name is not missed


class Registers(NamedTuple):
    """`count` general registers, the first with an even number where `even`. A result begins in X0."""

    count: int  # type: ignore[assignment]
    even: bool


def classify(type: AbiType) -> Homogeneous | Registers | None:
    """How an aggregate travels, as argument and as result; None is `REFERENCE`.

    An empty struct takes 0 registers: it is not passed at all. Complex numbers are passed like structs of
    two, and may be asked about, too.
    """
    homogeneous = hfa(type)
    if homogeneous is not None:
        return homogeneous
    if type.size > MOST_BYTES:
        return REFERENCE
    return Registers(-(-type.size // REGISTER), natural_alignment(type) == 16)


def hfa(type: AbiType) -> Homogeneous | None:
    """The type as a homogeneous floating-point aggregate, or None (AAPCS64 5.9.5.1)."""
    if not 0 < type.size <= MOST_MEMBERS * WIDEST_BASE:
        return None
    found = set(scalars(type))
    bases = {scalar.size for _, scalar in found}
    if len(bases) != 1 or any(scalar.kind is not Kind.FLOAT for _, scalar in found):
        return None
    base = next(iter(found))[1]
    count, rest = divmod(type.size, base.size)
    # No padding: neither between the members nor after them.
    if (
        rest
        or count > MOST_MEMBERS
        or {offset for offset, _ in found} != {i * base.size for i in range(count)}
    ):
        return None
    return Homogeneous(base, count)


def natural_alignment(type: AbiType) -> int:
    """The greatest alignment of the members, in bytes: what was asked for on the type itself does not count.

    A packed member's alignment is that of its struct at most.
    """
    return min(type.alignment, max((field.type.alignment for field in type.fields), default=type.alignment))


def stack_alignment(type: AbiType) -> int:
    """What an argument's place on the stack is a multiple of: 8 or 16 bytes (6.8.2, B.6 and C.14)."""
    return 16 if natural_alignment(type) >= 16 else 8
