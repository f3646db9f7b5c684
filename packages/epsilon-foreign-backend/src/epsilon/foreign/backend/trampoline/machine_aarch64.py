"""`Machine` for AArch64 (Procedure Call Standard for the Arm 64-bit Architecture: registers, stack frame).

Macros that expand to several instructions use X16 for a value and X17 for an offset, the two registers the
standard leaves to such glue; neither may be an operand. X18 belongs to the platform and is never touched.
"""

from __future__ import annotations

from typing import ClassVar

from .assembler import AssemblyError, IntRegister, Label, VectorRegister, signed
from .assembler import aarch64 as arm
from .assembler.aarch64 import (
    SP,
    X16,
    X17,
    XZR,
    AArch64Assembler,
    Condition,
    Convert,
    Op,
    fits_add_immediate,
    fits_offset,
    logical_immediate,
)
from .machine import Cond

_CONDITIONS = {
    Cond.EQ: Condition.EQ,
    Cond.NE: Condition.NE,
    Cond.LT: Condition.LT,
    Cond.LE: Condition.LE,
    Cond.GT: Condition.GT,
    Cond.GE: Condition.GE,
    Cond.B: Condition.LO,
    Cond.BE: Condition.LS,
    Cond.A: Condition.HI,
    Cond.AE: Condition.HS,
    Cond.NEG: Condition.MI,
    Cond.NONNEG: Condition.PL,
    Cond.OVERFLOW: Condition.VS,
    Cond.NO_OVERFLOW: Condition.VC,
}
_MASK = (1 << 64) - 1
_LOG2 = {1: 0, 2: 1, 4: 2, 8: 3}
_OPPOSITE = {Op.ADD: Op.SUB, Op.SUB: Op.ADD, Op.ADDS: Op.SUBS, Op.SUBS: Op.ADDS}


class AArch64Machine:
    """See `Machine`."""

    name: ClassVar[str] = "aarch64"
    POINTER_SIZE: ClassVar[int] = 8
    ENTRY: ClassVar[tuple[IntRegister, IntRegister, IntRegister, IntRegister]] = (
        arm.X0,
        arm.X1,
        arm.X2,
        arm.X3,
    )
    RESULT: ClassVar[IntRegister] = arm.X0
    RESULT2: ClassVar[IntRegister] = arm.X1
    FRESULT: ClassVar[VectorRegister] = arm.V0
    FRESULT2: ClassVar[VectorRegister] = arm.V1
    SCRATCH: ClassVar[tuple[IntRegister, ...]] = arm.INT_REGISTERS[9:16]
    FSCRATCH: ClassVar[tuple[VectorRegister, ...]] = arm.VECTOR_REGISTERS[16:]
    SAVED: ClassVar[tuple[IntRegister, ...]] = arm.INT_REGISTERS[19:29]
    SP: ClassVar[IntRegister] = SP
    FP: ClassVar[IntRegister] = arm.X29
    CONTEXT: ClassVar[IntRegister] = arm.X9

    __slots__ = ("_assembler", "_buffer", "_frame")

    def __init__(self) -> None:
        self._assembler = AArch64Assembler()
        self._buffer = self._assembler.buffer
        self._frame: tuple[int, tuple[IntRegister, ...]] | None = None

    @property
    def code_size(self) -> int | None:
        return self._buffer.code_size

    # Moves, constants, addresses

    def mov(self, d: IntRegister, s: IntRegister, /) -> None:
        if d is s:
            return
        if d is SP or s is SP:
            self._assembler.add_imm(Op.ADD, d, s, 0)
        else:
            self._assembler.op(Op.ORR, d, XZR, s)

    def mov_imm(self, d: IntRegister, value: int, /) -> None:
        value = signed(value) & _MASK
        parts = [(value >> shift & 0xFFFF, shift) for shift in (0, 16, 32, 48)]
        inverted = sum(part == 0xFFFF for part, _ in parts) > sum(part == 0 for part, _ in parts)
        background = 0xFFFF if inverted else 0
        rest = [(part, shift) for part, shift in parts if part != background] or parts[:1]
        if len(rest) > 1 and logical_immediate(value) is not None:
            self._assembler.logical_imm(Op.ORR, d, XZR, value)
            return
        part, shift = rest[0]
        if inverted:
            self._assembler.movn(d, part ^ 0xFFFF, shift)
        else:
            self._assembler.movz(d, part, shift)
        for part, shift in rest[1:]:
            self._assembler.movk(d, part, shift)

    def load_literal(self, d: IntRegister, value: int, /) -> None:
        self._assembler.load_label(d, self._buffer.literal(value))

    def lea(self, d: IntRegister, base: IntRegister, off: int, /) -> None:
        if off:
            self._add(Op.ADD, d, base, _offset(off))
        else:
            self.mov(d, base)

    def extend(self, d: IntRegister, s: IntRegister, size: int, signed: bool) -> None:
        if size == 8:
            self.mov(d, s)
        elif size == 4 and not signed:
            self._assembler.op(Op.ORR, d, XZR, s, size=4)
        elif size in (1, 2, 4):
            self._assembler.bitfield(signed, d, s, 0, 8 * size - 1)
        else:
            raise AssemblyError(f"cannot extend {size} bytes")

    # Memory

    def _far(self, off: int, size: int) -> bool:
        """Whether `off` needs an index register; then X17 holds it."""
        if fits_offset(off, size):
            return False
        self.mov_imm(X17, _offset(off))
        return True

    def load(
        self, d: IntRegister, base: IntRegister, off: int, /, size: int = 8, signed: bool = False
    ) -> None:
        if self._far(off, size):
            self._assembler.load_indexed(d, base, X17, False, size, signed)
        else:
            self._assembler.load(d, base, off, size, signed)

    def store(self, base: IntRegister, off: int, s: IntRegister, /, size: int = 8) -> None:
        if self._far(off, size):
            self._assembler.store_indexed(base, X17, False, s, size)
        else:
            self._assembler.store(base, off, s, size)

    def store_imm(self, base: IntRegister, off: int, value: int, /, size: int = 8) -> None:
        if size == 8 and not -(1 << 31) <= value < 1 << 31:
            raise AssemblyError(f"{value:#x} does not fit a signed 32-bit field")
        value = signed(value, 8 * size)
        if value:
            self.mov_imm(X16, value)
        self.store(base, off, X16 if value else XZR, size=size)

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
        if scale in (1, size):
            self._assembler.load_indexed(d, base, index, scale != 1, size, signed)
        else:
            self._assembler.op_extended(Op.ADD, X17, base, index, _log2(scale))
            self._assembler.load(d, X17, 0, size, signed)

    def store_indexed(
        self, base: IntRegister, index: IntRegister, scale: int, s: IntRegister, /, size: int = 8
    ) -> None:
        if scale in (1, size):
            self._assembler.store_indexed(base, index, scale != 1, s, size)
        else:
            self._assembler.op_extended(Op.ADD, X17, base, index, _log2(scale))
            self._assembler.store(X17, 0, s, size)

    def increment_memory(self, base: IntRegister, off: int, /) -> None:
        self.load(X16, base, off)
        self._assembler.add_imm(Op.ADD, X16, X16, 1)
        if fits_offset(off, 8):
            self._assembler.store(base, off, X16, 8)
        else:  # X17 still holds the offset
            self._assembler.store_indexed(base, X17, False, X16, 8)

    # Floating point

    def fload(self, d: VectorRegister, base: IntRegister, off: int, /, size: int = 8) -> None:
        if self._far(off, size):
            self._assembler.fload_indexed(d, base, X17, False, size)
        else:
            self._assembler.fload(d, base, off, size)

    def fstore(self, base: IntRegister, off: int, s: VectorRegister, /, size: int = 8) -> None:
        if self._far(off, size):
            self._assembler.fstore_indexed(base, X17, False, s, size)
        else:
            self._assembler.fstore(base, off, s, size)

    def fmov(self, d: VectorRegister, s: VectorRegister, /) -> None:
        if d is not s:
            self._assembler.convert(Convert.FMOV_D_D, d, s)

    def f64_to_f32(self, d: VectorRegister, s: VectorRegister, /) -> None:
        self._assembler.convert(Convert.FCVT_S_D, d, s)

    def f32_to_f64(self, d: VectorRegister, s: VectorRegister, /) -> None:
        self._assembler.convert(Convert.FCVT_D_S, d, s)

    def i64_to_f64(self, d: VectorRegister, s: IntRegister, /) -> None:
        self._assembler.convert(Convert.SCVTF_D_X, d, s)

    def fmov_from_int(self, d: VectorRegister, s: IntRegister, /) -> None:
        self._assembler.convert(Convert.FMOV_D_X, d, s)

    def int_from_fmov(self, d: IntRegister, s: VectorRegister, /) -> None:
        self._assembler.convert(Convert.FMOV_X_D, d, s)

    # Integer arithmetic

    def add(self, d: IntRegister, s: IntRegister, /) -> None:
        if d is SP:
            self._assembler.op_extended(Op.ADD, SP, SP, s)
        else:
            self._assembler.op(Op.ADDS, d, d, s)

    def sub(self, d: IntRegister, s: IntRegister, /) -> None:
        if d is SP:
            self._assembler.op_extended(Op.SUB, SP, SP, s)
        else:
            self._assembler.op(Op.SUBS, d, d, s)

    def mul(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.mul(d, d, s)

    def neg(self, d: IntRegister, /) -> None:
        self._assembler.op(Op.SUBS, d, XZR, d)

    def and_(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.op(Op.ANDS, d, d, s)

    def or_(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.op(Op.ORR, d, d, s)

    def xor(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.op(Op.EOR, d, d, s)

    def add_imm(self, d: IntRegister, imm: int, /) -> None:
        self._add(Op.ADD if d is SP else Op.ADDS, d, d, signed(imm))

    def sub_imm(self, d: IntRegister, imm: int, /) -> None:
        self._add(Op.SUB if d is SP else Op.SUBS, d, d, signed(imm))

    def _add(self, operation: Op, d: IntRegister, n: IntRegister, imm: int, size: int = 8) -> None:
        """ADD, SUB, ADDS or SUBS with any `imm`, summed by one instruction so that the flags are right."""
        if imm >= 0 and fits_add_immediate(imm):
            self._assembler.add_imm(operation, d, n, imm, size)
        elif imm < 0 and fits_add_immediate(-imm):
            self._assembler.add_imm(_OPPOSITE[operation], d, n, -imm, size)
        elif operation in (Op.ADDS, Op.SUBS):
            self.mov_imm(X16, imm)
            self._assembler.op(operation, d, n, X16, size=size)
        else:
            self.mov_imm(X16, imm)
            self._assembler.op_extended(operation, d, n, X16)

    def and_imm(self, d: IntRegister, imm: int, /) -> None:
        self._logical(Op.ANDS, d, d, imm)

    def or_imm(self, d: IntRegister, imm: int, /) -> None:
        self._logical(Op.ORR, d, d, imm)

    def _logical(self, operation: Op, d: IntRegister, n: IntRegister, imm: int, size: int = 8) -> None:
        imm = signed(imm, 8 * size) % (1 << 8 * size)
        if logical_immediate(imm, 8 * size) is not None:
            self._assembler.logical_imm(operation, d, n, imm, size)
        else:
            self.mov_imm(X16, imm)
            self._assembler.op(operation, d, n, X16, size=size)

    def shl_imm(self, d: IntRegister, n: int, /) -> None:
        _check_shift(n)
        self._assembler.bitfield(False, d, d, -n % 64, 63 - n)

    def shr_imm(self, d: IntRegister, n: int, /) -> None:
        self._assembler.bitfield(False, d, d, n, 63)

    def sar_imm(self, d: IntRegister, n: int, /) -> None:
        self._assembler.bitfield(True, d, d, n, 63)

    # Comparisons and what follows from them

    def compare(self, a: IntRegister, b: IntRegister, /) -> None:
        self._assembler.op(Op.SUBS, XZR, a, b)

    def compare_imm(self, a: IntRegister, imm: int, /, size: int = 8) -> None:
        _check_width(size)
        self._add(Op.SUBS, XZR, a, signed(imm, 8 * size), size)

    def compare_memory(self, a: IntRegister, base: IntRegister, off: int, /) -> None:
        self.load(X16, base, off)
        self._assembler.op(Op.SUBS, XZR, a, X16)

    def compare_literal(self, a: IntRegister, value: int, /) -> None:
        self.load_literal(X16, value)
        self._assembler.op(Op.SUBS, XZR, a, X16)

    def test(self, a: IntRegister, b: IntRegister, /) -> None:
        self._assembler.op(Op.ANDS, XZR, a, b)

    def test_imm(self, a: IntRegister, imm: int, /, size: int = 8) -> None:
        _check_width(size)
        self._logical(Op.ANDS, XZR, a, imm, size)

    def fcompare(self, a: VectorRegister, b: VectorRegister, /) -> None:
        # Unordered would set carry and so "above": compare again if ordered, else clear all flags.
        self._assembler.fcmp(a, b)
        self._assembler.fccmp(Condition.VC, a, b, 0)

    def set_condition(self, d: IntRegister, cond: Cond, /) -> None:
        self._assembler.cset(_CONDITIONS[cond], d)

    def select(self, d: IntRegister, cond: Cond, s: IntRegister, /) -> None:
        self._assembler.csel(_CONDITIONS[cond], d, s, d)

    # Control flow

    def label(self) -> Label:
        return Label()

    def bind(self, label: Label, /) -> None:
        self._buffer.bind(label)

    def branch(self, cond: Cond, label: Label, /) -> None:
        self._assembler.b_cond(_CONDITIONS[cond], label)

    def branch_zero(self, a: IntRegister, label: Label, /) -> None:
        self._assembler.cbz(a, label)

    def branch_nonzero(self, a: IntRegister, label: Label, /) -> None:
        self._assembler.cbnz(a, label)

    def jump(self, label: Label, /) -> None:
        self._assembler.b(label)

    def jump_literal(self, address: int, /) -> None:
        self.load_literal(X16, address)
        self._assembler.br(X16)

    def jump_memory(self, base: IntRegister, off: int, /) -> None:
        self.load(X16, base, off)
        self._assembler.br(X16)

    def jump_register(self, r: IntRegister, /) -> None:
        self._assembler.br(r)

    def call_label(self, label: Label, /) -> None:
        self._assembler.bl(label)

    def call_literal(self, address: int, /) -> None:
        self.load_literal(X16, address)
        self._assembler.blr(X16)

    def call_memory(self, base: IntRegister, off: int, /) -> None:
        self.load(X16, base, off)
        self._assembler.blr(X16)

    def call_register(self, r: IntRegister, /) -> None:
        self._assembler.blr(r)

    def variadic_vectors(self, n: int, /) -> None:
        """Nothing: AAPCS64 passes variadic arguments like the others, unannounced."""

    def trap(self) -> None:
        self._assembler.brk(0)

    # Frame

    def prologue(self, frame_bytes: int, saved: tuple[IntRegister, ...] = ()) -> None:
        if frame_bytes < 0 or not set(saved) <= set(self.SAVED) or len(set(saved)) < len(saved):
            raise AssemblyError(f"cannot make a frame of {frame_bytes} bytes that saves {saved!r}")
        # The record (FP, LR) and the saved registers lie together, in reach of LDP; the frame is below.
        record = 16 + 8 * len(saved) + 8 * (len(saved) % 2)
        self._assembler.stp_before(arm.X29, arm.X30, SP, -record)
        self.mov(arm.X29, SP)
        for position in range(0, len(saved) - 1, 2):
            self._assembler.stp(saved[position], saved[position + 1], SP, 16 + 8 * position)
        if len(saved) % 2:
            self._assembler.store(SP, 8 + 8 * len(saved), saved[-1], 8)
        reserved = frame_bytes + -frame_bytes % 16
        if reserved:
            self.sub_imm(SP, reserved)
        self._frame = reserved, saved

    def align_stack(self, alignment: int, /) -> None:
        if self._frame is None or not self._frame[0]:
            raise AssemblyError("only a stack pointer that the epilogue restores can be aligned")
        self.mov(X16, SP)
        self._assembler.logical_imm(Op.AND, SP, X16, -alignment & _MASK)

    def epilogue(self) -> None:
        if self._frame is None:
            raise AssemblyError("an epilogue needs a prologue")
        reserved, saved = self._frame
        if reserved:
            self.mov(SP, arm.X29)
        for position in range(0, len(saved) - 1, 2):
            self._assembler.ldp(saved[position], saved[position + 1], SP, 16 + 8 * position)
        if len(saved) % 2:
            self._assembler.load(saved[-1], SP, 8 + 8 * len(saved), 8, False)
        record = 16 + 8 * len(saved) + 8 * (len(saved) % 2)
        self._assembler.ldp_after(arm.X29, arm.X30, SP, record)

    @property
    def incoming(self) -> int:
        if self._frame is None:
            raise AssemblyError("incoming arguments need a prologue")
        saved = len(self._frame[1])
        return 16 + 8 * saved + 8 * (saved % 2)

    def ret(self) -> None:
        self._assembler.ret()

    def finish(self) -> bytes:
        return self._buffer.finish()


def _offset(off: int) -> int:
    """`off`, within the 32 signed bits that `Machine` allows everywhere."""
    if not -(1 << 31) <= off < 1 << 31:
        raise AssemblyError(f"{off:#x} does not fit a signed 32-bit field")
    return off


def _check_shift(count: int) -> None:
    if not 0 <= count <= 63:
        raise AssemblyError(f"cannot shift 64 bits by {count}")


def _check_width(size: int) -> None:
    if size not in (4, 8):
        raise AssemblyError(f"cannot compare {size} bytes")


def _log2(scale: int) -> int:
    if scale not in _LOG2:
        raise AssemblyError(f"cannot scale an index by {scale}")
    return _LOG2[scale]
