"""AArch64: AAPCS64 6.8.2, "Parameter passing rules" (https://github.com/ARM-software/abi-aa/blob/main/aapcs64).

Variadic arguments travel like named ones; Apple's variant, which puts them on the stack and packs stack arguments by
size, is another convention and not this one. How aggregates are told apart is in `classify_aapcs64`.
"""

from __future__ import annotations

from ...abi import AbiType
from ..assembler.aarch64 import INT_REGISTERS, VECTOR_REGISTERS, X8
from ..classify_aapcs64 import REFERENCE, Homogeneous, classify, stack_alignment
from .convention import SLOT, STACK_ALIGNMENT, Convention, Part, Results, Travel


def travel(type: AbiType) -> Travel:
    """One vector register for each member of a homogeneous aggregate, else general registers in a row."""
    found = classify(type)
    if found is REFERENCE:
        return Travel(in_memory=True, alignment=max(STACK_ALIGNMENT, type.alignment))
    if isinstance(found, Homogeneous):
        size = found.base.size
        parts = [Part(i * size, size, vector=True) for i in range(found.count)]
        return Travel(tuple(parts), alignment=stack_alignment(type))
    whole = [Part(SLOT * i) for i in range(found.count)]
    return Travel(tuple(whole), alignment=stack_alignment(type), even=found.even)


AAPCS64 = Convention(
    "aapcs64",
    integers=INT_REGISTERS[:8],
    vectors=VECTOR_REGISTERS[:8],
    results=Results(INT_REGISTERS[:2], VECTOR_REGISTERS[:4]),
    travel=travel,
    references=True,
    exhausts=True,
    result_pointer=X8,
)
