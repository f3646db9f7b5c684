"""System V x86-64: psABI 3.2.3, "Parameter Passing" (https://gitlab.com/x86-psABIs/x86-64-ABI).

Linux, the BSDs and macOS. A variadic caller puts an upper bound of the vector registers used into AL.
"""

from __future__ import annotations

from ..assembler.x86_64 import R8, R9, RCX, RDI, RDX, RSI, VECTOR_REGISTERS
from .convention import Convention

SYSV = Convention(
    "sysv",
    integers=(RDI, RSI, RDX, RCX, R8, R9),
    vectors=VECTOR_REGISTERS[:8],
    vector_count=True,
)
