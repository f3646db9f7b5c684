"""Microsoft x64 (https://learn.microsoft.com/cpp/build/x64-calling-convention).

Windows, and functions marked ``__attribute__((ms_abi))`` on Linux. The first four parameters have a register each by
position; the caller leaves 32 bytes below the stack arguments for the callee to spill them. A variadic floating
argument is passed in both registers of its position. An aggregate of 1, 2, 4 or 8 bytes travels like an integer,
whatever its members are; any other as the address of a copy, which is a multiple of 16. What the callee must preserve
is a superset of what System V code expects of it, so a System V stub may call it as it is; one that is called must
preserve the rest.
"""

from __future__ import annotations

from ...abi import AbiType
from ..assembler.x86_64 import R8, R9, RAX, RCX, RDI, RDX, RSI, VECTOR_REGISTERS
from .convention import STACK_ALIGNMENT, Convention, Part, Results, Travel

_LIKE_INTEGERS = frozenset((1, 2, 4, 8))


def travel(type: AbiType) -> Travel:
    """By size alone."""
    if type.size in _LIKE_INTEGERS:
        return Travel((Part(0),))
    return Travel(in_memory=True, alignment=max(STACK_ALIGNMENT, type.alignment))


WIN64 = Convention(
    "ms",
    integers=(RCX, RDX, R8, R9),
    vectors=VECTOR_REGISTERS[:4],
    results=Results((RAX,), VECTOR_REGISTERS[:1]),
    travel=travel,
    shadow=32,
    positional=True,
    mirror_variadic=True,
    callee_saved=(RDI, RSI, *VECTOR_REGISTERS[6:16]),
    references=True,
)
