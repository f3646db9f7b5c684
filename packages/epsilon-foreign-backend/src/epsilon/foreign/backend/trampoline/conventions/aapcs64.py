"""AArch64: AAPCS64 6.8.2, "Parameter passing rules" (https://github.com/ARM-software/abi-aa/blob/main/aapcs64).

Scalars only. Variadic arguments travel like named ones; Apple's variant, which puts them on the stack and packs stack
arguments by size, is another convention and not this one.
"""

from __future__ import annotations

from ..assembler.aarch64 import INT_REGISTERS, VECTOR_REGISTERS
from .convention import Convention

AAPCS64 = Convention("aapcs64", integers=INT_REGISTERS[:8], vectors=VECTOR_REGISTERS[:8])
