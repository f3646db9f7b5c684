"""System V x86-64: psABI 3.2.3, "Parameter Passing" (https://gitlab.com/x86-psABIs/x86-64-ABI).

Linux, the BSDs and macOS. A variadic caller puts an upper bound of the vector registers used into AL. Which eightbytes
of an aggregate travel in which kind of register is in `classify_sysv`.
"""

from __future__ import annotations

from ...abi import AbiType
from ..assembler.x86_64 import R8, R9, RAX, RCX, RDI, RDX, RSI, VECTOR_REGISTERS
from ..classify_sysv import INTEGER, MEMORY, NO_CLASS, SSE, X87, classify
from .convention import SLOT, Convention, Part, Results, Travel


def travel(type: AbiType) -> Travel:
    """One part for each eightbyte that is not padding."""
    classes, alignment = classify(type), max(SLOT, type.alignment)
    if classes is MEMORY:
        return Travel(in_memory=True, alignment=alignment)
    if X87 in classes:
        return Travel(in_memory=True, alignment=alignment, returnable=False)
    parts = [Part(SLOT * i, vector=found is SSE) for i, found in enumerate(classes) if found is not NO_CLASS]
    assert all(found in (INTEGER, SSE, NO_CLASS) for found in classes)
    return Travel(tuple(parts), alignment=alignment)


SYSV = Convention(
    "sysv",
    integers=(RDI, RSI, RDX, RCX, R8, R9),
    vectors=VECTOR_REGISTERS[:8],
    results=Results((RAX, RDX), VECTOR_REGISTERS[:2]),
    travel=travel,
    vector_count=True,
)
