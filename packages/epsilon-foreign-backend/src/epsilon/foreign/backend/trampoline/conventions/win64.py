"""Microsoft x64 (https://learn.microsoft.com/cpp/build/x64-calling-convention).

Windows, and functions marked ``__attribute__((ms_abi))`` on Linux. The first four parameters have a register each by
position; the caller leaves 32 bytes below the stack arguments for the callee to spill them. A variadic floating
argument is passed in both registers of its position. What the callee must preserve is a superset of what System V
code expects of it, so a System V stub may call it as it is; one that is called must preserve the rest.
"""

from __future__ import annotations

from ..assembler.x86_64 import R8, R9, RCX, RDI, RDX, RSI, VECTOR_REGISTERS
from .convention import Convention

WIN64 = Convention(
    "ms",
    integers=(RCX, RDX, R8, R9),
    vectors=VECTOR_REGISTERS[:4],
    shadow=32,
    positional=True,
    mirror_variadic=True,
    callee_saved=(RDI, RSI, *VECTOR_REGISTERS[6:16]),
)
