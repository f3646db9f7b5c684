"""How System V x86-64 passes aggregates: psABI 3.2.3, "Classification"
(https://gitlab.com/x86-psABIs/x86-64-ABI).

An aggregate of classes INTEGER and SSE travels in that many registers of each kind when there are enough left
of both, else whole on the stack; NO_CLASS eightbytes are padding and take none. One in `MEMORY` is copied to
the stack, and returned through the address in RDI, which comes back in RAX. X87 and X87UP are a `long
double`: on the stack as an argument, in ST(0) as a result. On the stack an aggregate lies at a multiple of 8
bytes and of its own alignment.
"""

from __future__ import annotations

import enum
from typing import Final

from ..abi import AbiType, Kind
from ..flattening import scalars

EIGHTBYTE = 8
MOST_EIGHTBYTES = 2  # without the 32- and 64-byte vectors, which C has no portable type for

#: The class of what no register holds: in this table, no tuple of classes.
MEMORY: Final = None


class EightbyteClass(enum.Enum):
    """What an eightbyte holds."""

    NO_CLASS = "padding"
    INTEGER = "integer"
    SSE = "sse"
    X87 = "x87"
    X87UP = "x87up"


NO_CLASS, INTEGER, SSE, X87, X87UP = EightbyteClass

Classes = tuple[EightbyteClass, ...]


def classify(type: AbiType) -> Classes | None:
    """One class for each eightbyte of an aggregate, or `MEMORY`. An empty struct has none: it is not passed.

    Complex numbers are passed like structs of two, and may be asked about, too.
    """
    eightbytes = -(-type.size // EIGHTBYTE)
    if eightbytes > MOST_EIGHTBYTES or is_misaligned(type):
        return MEMORY
    classes = [NO_CLASS] * eightbytes
    for offset, scalar in scalars(type):
        for index, found in enumerate(_scalar(scalar), offset // EIGHTBYTE):
            merged = _merge(classes[index], found)
            if merged is None:
                return MEMORY
            classes[index] = merged
    if X87UP in classes and X87 not in classes:
        return MEMORY
    return tuple(classes)


def is_misaligned(type: AbiType, offset: int = 0) -> bool:
    """Is a scalar inside not at a multiple of its alignment?

    Of an array only the first element counts, as for gcc; clang looks at all of them, which differs for
    arrays of packed structs.
    """
    if type.kind is Kind.AGGREGATE:
        return any(field.count and is_misaligned(field.type, offset + field.offset) for field in type.fields)
    return offset % type.alignment != 0


def _scalar(type: AbiType) -> Classes:
    if type.kind is not Kind.FLOAT:
        return (INTEGER,)
    return (SSE,) if type.size <= EIGHTBYTE else (X87, X87UP)


def _merge(one: EightbyteClass, other: EightbyteClass) -> EightbyteClass | None:
    """The class of an eightbyte that holds both; None for MEMORY. The rules are in the document's order."""
    if one is other or other is NO_CLASS:
        return one
    if one is NO_CLASS:
        return other
    if INTEGER in (one, other):
        return INTEGER
    return None  # one of them is of the x87's classes
