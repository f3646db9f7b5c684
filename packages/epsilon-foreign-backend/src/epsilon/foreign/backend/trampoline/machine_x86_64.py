"""`Machine` for x86-64 under the System V ABI (System V AMD64 psABI, 3.2: registers, stack frame).

No macro needs a register beyond its operands: a constant too wide for an instruction is read from the pool.
"""

from __future__ import annotations

from typing import ClassVar

from .assembler import AssemblyError, IntRegister, Label, VectorRegister, signed
from .assembler import x86_64 as x86
from .assembler.x86_64 import Alu, Condition, Shift, Sse, X86_64Assembler, fits_int32
from .machine import Cond

_CONDITIONS = {
    Cond.EQ: Condition.E,
    Cond.NE: Condition.NE,
    Cond.LT: Condition.L,
    Cond.LE: Condition.LE,
    Cond.GT: Condition.G,
    Cond.GE: Condition.GE,
    Cond.B: Condition.B,
    Cond.BE: Condition.BE,
    Cond.A: Condition.A,
    Cond.AE: Condition.AE,
    Cond.NEG: Condition.S,
    Cond.NONNEG: Condition.NS,
    Cond.OVERFLOW: Condition.O,
    Cond.NO_OVERFLOW: Condition.NO,
}


class X86_64Machine:
    """See `Machine`."""

    name: ClassVar[str] = "x86_64"
    POINTER_SIZE: ClassVar[int] = 8
    ENTRY: ClassVar[tuple[IntRegister, IntRegister, IntRegister, IntRegister]] = (
        x86.RDI,
        x86.RSI,
        x86.RDX,
        x86.RCX,
    )
    RESULT: ClassVar[IntRegister] = x86.RAX
    RESULT2: ClassVar[IntRegister] = x86.RDX
    FRESULT: ClassVar[VectorRegister] = x86.XMM0
    FRESULT2: ClassVar[VectorRegister] = x86.XMM1
    SCRATCH: ClassVar[tuple[IntRegister, ...]] = (x86.RAX, x86.R10, x86.R11)
    FSCRATCH: ClassVar[tuple[VectorRegister, ...]] = x86.VECTOR_REGISTERS[8:]
    SAVED: ClassVar[tuple[IntRegister, ...]] = (x86.RBX, x86.R12, x86.R13, x86.R14, x86.R15)
    SP: ClassVar[IntRegister] = x86.RSP
    FP: ClassVar[IntRegister] = x86.RBP
    CONTEXT: ClassVar[IntRegister] = x86.R11

    __slots__ = ("_assembler", "_buffer", "_frame")

    def __init__(self) -> None:
        self._assembler = X86_64Assembler()
        self._buffer = self._assembler.buffer
        self._frame: tuple[int, tuple[IntRegister, ...]] | None = None

    @property
    def code_size(self) -> int | None:
        return self._buffer.code_size

    # Moves, constants, addresses

    def mov(self, d: IntRegister, s: IntRegister, /) -> None:
        if d is not s:
            self._assembler.mov(d, s)

    def mov_imm(self, d: IntRegister, value: int, /) -> None:
        self._assembler.mov_imm(d, signed(value) if value > 0xFFFF_FFFF else value)

    def load_literal(self, d: IntRegister, value: int, /) -> None:
        self._assembler.load_label(d, self._buffer.literal(value))

    def lea(self, d: IntRegister, base: IntRegister, off: int, /) -> None:
        if off:
            self._assembler.lea(d, base, off)
        else:
            self.mov(d, base)

    def extend(self, d: IntRegister, s: IntRegister, size: int, signed: bool) -> None:
        if size == 8:
            self.mov(d, s)
        elif size == 4 and not signed:
            self._assembler.mov(d, s, 4)
        else:
            self._assembler.extend(d, s, size, signed)

    # Memory

    def load(
        self, d: IntRegister, base: IntRegister, off: int, /, size: int = 8, signed: bool = False
    ) -> None:
        self._assembler.load(d, base, off, size, signed)

    def store(self, base: IntRegister, off: int, s: IntRegister, /, size: int = 8) -> None:
        self._assembler.store(base, off, s, size)

    def store_imm(self, base: IntRegister, off: int, value: int, /, size: int = 8) -> None:
        self._assembler.store_imm(base, off, value if size == 8 else signed(value, 8 * size), size)

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
        self._assembler.load_indexed(d, base, index, scale, size, signed)

    def store_indexed(
        self, base: IntRegister, index: IntRegister, scale: int, s: IntRegister, /, size: int = 8
    ) -> None:
        self._assembler.store_indexed(base, index, scale, s, size)

    def increment_memory(self, base: IntRegister, off: int, /) -> None:
        self._assembler.inc_memory(base, off)

    # Floating point

    def fload(self, d: VectorRegister, base: IntRegister, off: int, /, size: int = 8) -> None:
        self._assembler.fload(d, base, off, size)

    def fstore(self, base: IntRegister, off: int, s: VectorRegister, /, size: int = 8) -> None:
        self._assembler.fstore(base, off, s, size)

    def fmov(self, d: VectorRegister, s: VectorRegister, /) -> None:
        if d is not s:
            self._assembler.sse(Sse.MOVAPS, d, s)

    def f64_to_f32(self, d: VectorRegister, s: VectorRegister, /) -> None:
        self._convert(Sse.CVTSD2SS, d, s)

    def f32_to_f64(self, d: VectorRegister, s: VectorRegister, /) -> None:
        self._convert(Sse.CVTSS2SD, d, s)

    def _convert(self, operation: Sse, d: VectorRegister, s: VectorRegister) -> None:
        # A conversion keeps the upper bits of d: without clearing it first it would wait for d's last writer.
        if d is not s:
            self._assembler.sse(Sse.XORPS, d, d)
        self._assembler.sse(operation, d, s)

    def i64_to_f64(self, d: VectorRegister, s: IntRegister, /) -> None:
        self._assembler.sse(Sse.XORPS, d, d)  # as in _convert
        self._assembler.cvtsi2sd(d, s)

    def fmov_from_int(self, d: VectorRegister, s: IntRegister, /) -> None:
        self._assembler.movq_from_int(d, s)

    def int_from_fmov(self, d: IntRegister, s: VectorRegister, /) -> None:
        self._assembler.movq_to_int(d, s)

    # Integer arithmetic

    def add(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.alu(Alu.ADD, d, s)

    def sub(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.alu(Alu.SUB, d, s)

    def mul(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.imul(d, s)

    def neg(self, d: IntRegister, /) -> None:
        self._assembler.neg(d)

    def and_(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.alu(Alu.AND, d, s)

    def or_(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.alu(Alu.OR, d, s)

    def xor(self, d: IntRegister, s: IntRegister, /) -> None:
        self._assembler.alu(Alu.XOR, d, s)

    def add_imm(self, d: IntRegister, imm: int, /) -> None:
        self._alu_imm(Alu.ADD, d, signed(imm))

    def sub_imm(self, d: IntRegister, imm: int, /) -> None:
        self._alu_imm(Alu.SUB, d, signed(imm))

    def and_imm(self, d: IntRegister, imm: int, /) -> None:
        if 0 <= imm <= 0xFFFF_FFFF:  # the 32-bit form clears the upper half, which is what is wanted
            self._assembler.alu_imm(Alu.AND, d, signed(imm, 32), 4)
        else:
            self._alu_imm(Alu.AND, d, signed(imm))

    def or_imm(self, d: IntRegister, imm: int, /) -> None:
        self._alu_imm(Alu.OR, d, signed(imm))

    def _alu_imm(self, operation: Alu, d: IntRegister, imm: int) -> None:
        if fits_int32(imm):
            self._assembler.alu_imm(operation, d, imm)
        else:
            self._assembler.alu_label(operation, d, self._buffer.literal(imm))

    def shl_imm(self, d: IntRegister, n: int, /) -> None:
        self._assembler.shift(Shift.SHL, d, n)

    def shr_imm(self, d: IntRegister, n: int, /) -> None:
        self._assembler.shift(Shift.SHR, d, n)

    def sar_imm(self, d: IntRegister, n: int, /) -> None:
        self._assembler.shift(Shift.SAR, d, n)

    # Comparisons and what follows from them

    def compare(self, a: IntRegister, b: IntRegister, /) -> None:
        self._assembler.alu(Alu.CMP, a, b)

    def compare_imm(self, a: IntRegister, imm: int, /, size: int = 8) -> None:
        if size == 4:
            self._assembler.alu_imm(Alu.CMP, a, signed(imm, 32), 4)
        elif size != 8:
            raise AssemblyError(f"cannot compare {size} bytes")
        elif imm == 0:
            self._assembler.test(a, a)  # the same flags, one byte less
        else:
            self._alu_imm(Alu.CMP, a, signed(imm))

    def compare_memory(self, a: IntRegister, base: IntRegister, off: int, /) -> None:
        self._assembler.alu_memory(Alu.CMP, a, base, off)

    def compare_literal(self, a: IntRegister, value: int, /) -> None:
        self._assembler.alu_label(Alu.CMP, a, self._buffer.literal(value))

    def test(self, a: IntRegister, b: IntRegister, /) -> None:
        self._assembler.test(a, b)

    def test_imm(self, a: IntRegister, imm: int, /, size: int = 8) -> None:
        if size not in (4, 8):
            raise AssemblyError(f"cannot test {size} bytes")
        imm = signed(imm, 8 * size)
        # While the mask's highest bit is clear no result is negative in any width: the shortest will do.
        if 0 <= imm <= 0x7F:
            self._assembler.test_imm(a, imm, 1)
        elif 0 <= imm <= 0x7FFF_FFFF or size == 4:
            self._assembler.test_imm(a, imm, 4)
        elif fits_int32(imm):
            self._assembler.test_imm(a, imm, 8)
        else:
            self._assembler.test_label(a, self._buffer.literal(imm))

    def fcompare(self, a: VectorRegister, b: VectorRegister, /) -> None:
        assembler = self._assembler
        assembler.sse(Sse.UCOMISD, a, b)
        # Unordered sets parity, zero and carry; take zero back, or NaN would equal everything.
        assembler.jcc_over(Condition.NP, 4)
        assembler.test(x86.RSP, x86.RSP)  # 3 bytes; never zero
        assembler.stc()  # 1 byte

    def set_condition(self, d: IntRegister, cond: Cond, /) -> None:
        self._assembler.setcc(_CONDITIONS[cond], d)
        self._assembler.extend(d, d, 1, False)

    def select(self, d: IntRegister, cond: Cond, s: IntRegister, /) -> None:
        self._assembler.cmov(_CONDITIONS[cond], d, s)

    # Control flow

    def label(self) -> Label:
        return Label()

    def bind(self, label: Label, /) -> None:
        self._buffer.bind(label)

    def branch(self, cond: Cond, label: Label, /) -> None:
        self._assembler.jcc(_CONDITIONS[cond], label)

    def branch_zero(self, a: IntRegister, label: Label, /) -> None:
        self._assembler.test(a, a)
        self._assembler.jcc(Condition.E, label)

    def branch_nonzero(self, a: IntRegister, label: Label, /) -> None:
        self._assembler.test(a, a)
        self._assembler.jcc(Condition.NE, label)

    def jump(self, label: Label, /) -> None:
        self._assembler.jmp(label)

    def jump_literal(self, address: int, /) -> None:
        self._assembler.jmp_through(self._buffer.literal(address))

    def jump_memory(self, base: IntRegister, off: int, /) -> None:
        self._assembler.jmp_memory(base, off)

    def jump_register(self, r: IntRegister, /) -> None:
        self._assembler.jmp_register(r)

    def call_label(self, label: Label, /) -> None:
        self._assembler.call(label)

    def call_literal(self, address: int, /) -> None:
        self._assembler.call_through(self._buffer.literal(address))

    def call_memory(self, base: IntRegister, off: int, /) -> None:
        self._assembler.call_memory(base, off)

    def call_register(self, r: IntRegister, /) -> None:
        self._assembler.call_register(r)

    def variadic_vectors(self, n: int, /) -> None:
        self._assembler.mov_al(n)  # psABI 3.2.3: AL bounds the vector registers used

    def trap(self) -> None:
        self._assembler.ud2()

    # Frame

    def prologue(self, frame_bytes: int, saved: tuple[IntRegister, ...] = ()) -> None:
        if frame_bytes < 0 or not set(saved) <= set(self.SAVED) or len(set(saved)) < len(saved):
            raise AssemblyError(f"cannot make a frame of {frame_bytes} bytes that saves {saved!r}")
        assembler = self._assembler
        assembler.push(x86.RBP)
        assembler.mov(x86.RBP, x86.RSP)
        for register in saved:
            assembler.push(register)
        # After the return address and RBP the stack is 16-aligned; keep it so below the saved registers.
        reserved = frame_bytes + -(frame_bytes + 8 * len(saved)) % 16
        if reserved:
            assembler.alu_imm(Alu.SUB, x86.RSP, reserved)
        self._frame = reserved, saved

    def align_stack(self, alignment: int, /) -> None:
        if self._frame is None or not self._frame[0]:
            raise AssemblyError("only a stack pointer that the epilogue restores can be aligned")
        self._assembler.alu_imm(Alu.AND, x86.RSP, -alignment)

    def epilogue(self) -> None:
        if self._frame is None:
            raise AssemblyError("an epilogue needs a prologue")
        assembler = self._assembler
        reserved, saved = self._frame
        if not saved and reserved:
            assembler.leave()
            return
        if reserved:
            assembler.lea(x86.RSP, x86.RBP, -8 * len(saved))
        for register in reversed(saved):
            assembler.pop(register)
        assembler.pop(x86.RBP)

    @property
    def incoming(self) -> int:
        return 16  # the return address and RBP

    def ret(self) -> None:
        self._assembler.ret()

    def finish(self) -> bytes:
        return self._buffer.finish()
