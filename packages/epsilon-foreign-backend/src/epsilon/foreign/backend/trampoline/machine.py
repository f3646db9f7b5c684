"""The code generator's view of a processor: a small set of operations that every instruction set offers.

The generator is written once, against `Machine`; `machine_x86_64` and `machine_aarch64` implement it.
Operands: `d` is written, `s`, `a`, `b` are read, `base` and `index` form addresses; all 64 bits wide unless
a size (in bytes) says otherwise. Operands may be the same register. SP is the base of an address anywhere,
and else an operand only of `mov` and `lea` and the `d` of `add`, `sub`, `add_imm`, `sub_imm`. An `off` is a
byte offset of 32 signed bits; an `imm` or `value` is any integer from -2**63 to 2**64-1. What cannot be
encoded raises `AssemblyError`.

Flags. `compare*` and `sub*` set them for every `Cond`; `test*` for EQ, NE, NEG, NONNEG and the signed ones;
`add*` and `neg` (not on SP) for EQ, NE, NEG, NONNEG, OVERFLOW, NO_OVERFLOW; `and*` for EQ and NE.
`fcompare` sets them so that EQ, NE, A, AE mean C's `==`, `!=`, `>`, `>=` and B, BE mean "less (or equal) or
unordered"; so write `x < y` as `fcompare(y, x)` and A. After `mul`, `or*`, `xor`, shifts,
`increment_memory`, `branch_zero`, `branch_nonzero`, calls and `prologue` they are undefined. Everything
else leaves them alone.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar, Protocol

from .assembler import IntRegister, Label, VectorRegister

__all__ = ["Cond", "Machine"]


class Cond(IntEnum):
    """What a branch, `set_condition` or `select` asks of the flags."""

    EQ = 0
    NE = 1
    LT = 2
    """Signed less; LE, GT, GE likewise."""
    LE = 3
    GT = 4
    GE = 5
    B = 6
    """Below: unsigned less; BE, A (above), AE likewise."""
    BE = 7
    A = 8
    AE = 9
    NEG = 10
    NONNEG = 11
    OVERFLOW = 12
    """The signed result did not fit."""
    NO_OVERFLOW = 13


class Machine(Protocol):
    """Writes one piece of code. Make one, emit, call `finish` once."""

    name: ClassVar[str]
    POINTER_SIZE: ClassVar[int]
    ENTRY: ClassVar[tuple[IntRegister, IntRegister, IntRegister, IntRegister]]
    """Where a vectorcall function receives (callable, args, nargsf, kwnames)."""
    RESULT: ClassVar[IntRegister]
    RESULT2: ClassVar[IntRegister]
    FRESULT: ClassVar[VectorRegister]
    FRESULT2: ClassVar[VectorRegister]
    SCRATCH: ClassVar[tuple[IntRegister, ...]]
    """Free between calls: neither arguments nor preserved, and not used by the macros themselves."""
    FSCRATCH: ClassVar[tuple[VectorRegister, ...]]
    SAVED: ClassVar[tuple[IntRegister, ...]]
    """Preserved by the functions called; `prologue` must save those the code uses."""
    SP: ClassVar[IntRegister]
    FP: ClassVar[IntRegister]
    CONTEXT: ClassVar[IntRegister]
    """Where a thunk leaves the address of its slot: a SCRATCH register that no argument travels in."""

    @property
    def code_size(self) -> int | None:
        """Bytes of instructions before padding and literal pool; None before `finish`."""

    # Moves, constants, addresses

    def mov(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def mov_imm(self, d: IntRegister, value: int, /) -> None: ...
    def load_literal(self, d: IntRegister, value: int, /) -> None:
        """`d` = `value`, read from the literal pool."""

    def lea(self, d: IntRegister, base: IntRegister, off: int, /) -> None:
        """`d` = `base` + `off`; `d` and `base` may be SP."""

    def extend(self, d: IntRegister, s: IntRegister, size: int, signed: bool) -> None:
        """`d` = the low `size` (1, 2, 4, 8) bytes of `s`, sign- or zero-extended to 64 bits."""

    # Memory

    def load(
        self, d: IntRegister, base: IntRegister, off: int, /, size: int = 8, signed: bool = False
    ) -> None: ...
    def store(self, base: IntRegister, off: int, s: IntRegister, /, size: int = 8) -> None: ...
    def store_imm(self, base: IntRegister, off: int, value: int, /, size: int = 8) -> None:
        """Stores a constant: of 32 signed bits for size 8, else any (signed or unsigned) of `size` bytes."""

    def load_indexed(
        self,
        d: IntRegister,
        base: IntRegister,
        index: IntRegister,
        scale: int,
        /,
        size: int = 8,
        signed: bool = False,
    ) -> None:
        """From `[base + index * scale]`, `scale` 1, 2, 4 or 8; `index` is not SP."""

    def store_indexed(
        self, base: IntRegister, index: IntRegister, scale: int, s: IntRegister, /, size: int = 8
    ) -> None: ...
    def increment_memory(self, base: IntRegister, off: int, /) -> None:
        """Adds one to 64 bits in memory; not atomic."""

    # Floating point

    def fload(self, d: VectorRegister, base: IntRegister, off: int, /, size: int = 8) -> None: ...
    def fstore(self, base: IntRegister, off: int, s: VectorRegister, /, size: int = 8) -> None: ...
    def fmov(self, d: VectorRegister, s: VectorRegister, /) -> None:
        """Copies the low 64 bits (so a float as well as a double)."""

    def f64_to_f32(self, d: VectorRegister, s: VectorRegister, /) -> None: ...
    def f32_to_f64(self, d: VectorRegister, s: VectorRegister, /) -> None: ...
    def i64_to_f64(self, d: VectorRegister, s: IntRegister, /) -> None: ...
    def fmov_from_int(self, d: VectorRegister, s: IntRegister, /) -> None:
        """Copies 64 raw bits."""

    def int_from_fmov(self, d: IntRegister, s: VectorRegister, /) -> None:
        """Copies 64 raw bits."""

    # Integer arithmetic

    def add(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def sub(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def mul(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def neg(self, d: IntRegister, /) -> None: ...
    def and_(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def or_(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def xor(self, d: IntRegister, s: IntRegister, /) -> None: ...
    def add_imm(self, d: IntRegister, imm: int, /) -> None: ...
    def sub_imm(self, d: IntRegister, imm: int, /) -> None: ...
    def and_imm(self, d: IntRegister, imm: int, /) -> None: ...
    def or_imm(self, d: IntRegister, imm: int, /) -> None: ...
    def shl_imm(self, d: IntRegister, n: int, /) -> None: ...
    def shr_imm(self, d: IntRegister, n: int, /) -> None: ...
    def sar_imm(self, d: IntRegister, n: int, /) -> None: ...

    # Comparisons and what follows from them

    def compare(self, a: IntRegister, b: IntRegister, /) -> None: ...
    def compare_imm(self, a: IntRegister, imm: int, /, size: int = 8) -> None:
        """Compares the low `size` (4 or 8) bytes of `a`."""

    def compare_memory(self, a: IntRegister, base: IntRegister, off: int, /) -> None: ...
    def compare_literal(self, a: IntRegister, value: int, /) -> None:
        """Compares with a constant from the literal pool."""

    def test(self, a: IntRegister, b: IntRegister, /) -> None:
        """Flags of `a` & `b`."""

    def test_imm(self, a: IntRegister, imm: int, /, size: int = 8) -> None: ...
    def fcompare(self, a: VectorRegister, b: VectorRegister, /) -> None:
        """Compares doubles; see the module for NaN."""

    def set_condition(self, d: IntRegister, cond: Cond, /) -> None:
        """`d` = 1 or 0."""

    def select(self, d: IntRegister, cond: Cond, s: IntRegister, /) -> None:
        """`d` = `s` if the condition holds."""

    # Control flow

    def label(self) -> Label: ...
    def bind(self, label: Label, /) -> None: ...
    def branch(self, cond: Cond, label: Label, /) -> None: ...
    def branch_zero(self, a: IntRegister, label: Label, /) -> None: ...
    def branch_nonzero(self, a: IntRegister, label: Label, /) -> None: ...
    def jump(self, label: Label, /) -> None: ...
    def jump_literal(self, address: int, /) -> None: ...
    def jump_memory(self, base: IntRegister, off: int, /) -> None:
        """Jumps to the address stored in memory."""

    def jump_register(self, r: IntRegister, /) -> None: ...
    def call_label(self, label: Label, /) -> None: ...
    def call_literal(self, address: int, /) -> None: ...
    def call_memory(self, base: IntRegister, off: int, /) -> None:
        """Calls the address stored in memory."""

    def call_register(self, r: IntRegister, /) -> None: ...
    def variadic_vectors(self, n: int, /) -> None:
        """Announces `n` vector registers to a variadic callee, where the convention asks (System V: AL)."""

    def trap(self) -> None: ...

    # Frame

    def prologue(self, frame_bytes: int, saved: tuple[IntRegister, ...] = ()) -> None:
        """Links a frame, saves `saved` (of SAVED), reserves `frame_bytes` from SP up, SP 16-aligned.

        Memory from SP to SP + frame_bytes - 1 is the generator's. Code before it runs without a frame. Each
        `epilogue` belongs to the prologue written last.
        """

    def align_stack(self, alignment: int, /) -> None:
        """Lowers SP to a multiple of `alignment`, a power of two; after a `prologue` with a frame."""

    def epilogue(self) -> None:
        """Restores SP, FP and saved registers. Follow with `ret` or a jump; one for each exit."""

    @property
    def incoming(self) -> int:
        """Offset from FP, after the prologue, of the caller's SP at the call: its stack arguments."""

    def ret(self) -> None: ...
    def finish(self) -> bytes:
        """Code and literal pool, to be placed at any 8-aligned address."""
