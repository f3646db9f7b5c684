"""The x86-64 instructions the trampoline uses, in 64-bit mode.

Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapters 2 (ModRM, SIB,
REX) and 3 to 5 (instructions). Where several encodings exist the one GNU `as` would choose is used.

An operand `base, offset` is memory at `[base + offset]`, the offset a signed 32-bit byte count. Sizes are
bytes. A 32-bit result clears the upper half of its register.
"""

from __future__ import annotations

from enum import IntEnum

from . import AssemblyError, CodeBuffer, Forms, IntRegister, Label, VectorRegister

_INT_NAMES = "RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15".split()  # noqa: SIM905
INT_REGISTERS = tuple(IntRegister(number, name) for number, name in enumerate(_INT_NAMES))
VECTOR_REGISTERS = tuple(VectorRegister(number, f"XMM{number}") for number in range(16))
RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 = INT_REGISTERS
XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM6, XMM7 = VECTOR_REGISTERS[:8]
XMM8, XMM9, XMM10, XMM11, XMM12, XMM13, XMM14, XMM15 = VECTOR_REGISTERS[8:]


class Alu(IntEnum):
    """Two-operand integer operations; the value is the operation's number in opcodes and in ModRM."""

    ADD = 0
    OR = 1
    AND = 4
    SUB = 5
    XOR = 6
    CMP = 7


class Shift(IntEnum):
    """Shifts by a constant; the value is the ModRM opcode extension."""

    SHL = 4
    SHR = 5
    SAR = 7


class Condition(IntEnum):
    """Conditions of Jcc, SETcc and CMOVcc, by their number in opcodes; P is set by an unordered UCOMISD."""

    O = 0  # noqa: E741 - the manual's name
    NO = 1
    B = 2
    AE = 3
    E = 4
    NE = 5
    BE = 6
    A = 7
    S = 8
    NS = 9
    P = 10
    NP = 11
    L = 12
    GE = 13
    LE = 14
    G = 15


class Sse(IntEnum):
    """Operations on two vector registers; the value is prefix << 8 | opcode after 0F (prefix 0: none)."""

    MOVAPS = 0x0028
    XORPS = 0x0057
    UCOMISD = 0x662E
    CVTSD2SS = 0xF25A
    CVTSS2SD = 0xF35A


_W = 0x48  # REX with W: 64-bit operands
_BARE_REX = 0x40  # makes register numbers 4 to 7 mean SPL, BPL, SIL, DIL rather than AH, CH, DH, BH
_BYTE = tuple(bytes((value,)) for value in range(256))

# (size, signed) -> REX, opcode. A load always fills the whole 64-bit register.
_LOADS = Forms(
    {
        (8, False): (_W, b"\x8b"),
        (8, True): (_W, b"\x8b"),
        (4, False): (0, b"\x8b"),
        (4, True): (_W, b"\x63"),
        (2, False): (0, b"\x0f\xb7"),
        (2, True): (_W, b"\x0f\xbf"),
        (1, False): (0, b"\x0f\xb6"),
        (1, True): (_W, b"\x0f\xbe"),
    }
)
# size -> prefix, REX, opcode
_STORES = Forms({8: (b"", _W, b"\x89"), 4: (b"", 0, b"\x89"), 2: (b"\x66", 0, b"\x89"), 1: (b"", 0, b"\x88")})
# size -> prefix, REX, opcode, bytes of the immediate
_IMMEDIATE_STORES = Forms(
    {8: (b"", _W, b"\xc7", 4), 4: (b"", 0, b"\xc7", 4), 2: (b"\x66", 0, b"\xc7", 2), 1: (b"", 0, b"\xc6", 1)}
)
_REX = Forms({8: _W, 4: 0})
_FLOAT_PREFIX = Forms({8: b"\xf2", 4: b"\xf3", 16: b""})
_SIB_SCALE = Forms({1: 0x00, 2: 0x40, 4: 0x80, 8: 0xC0})


def fits_int8(value: int) -> bool:
    return -0x80 <= value <= 0x7F


def fits_int32(value: int) -> bool:
    return -0x8000_0000 <= value <= 0x7FFF_FFFF


def _signed_bytes(value: int, size: int) -> bytes:
    try:
        return value.to_bytes(size, "little", signed=True)
    except OverflowError:
        raise AssemblyError(f"{value:#x} does not fit a signed {8 * size}-bit field") from None


def _opcode(prefix: bytes, rex: int, opcode: bytes) -> bytes:
    return prefix + _BYTE[rex | 0x40] + opcode if rex else prefix + opcode


def _registers(prefix: bytes, rex: int, opcode: bytes, reg: int, rm: int) -> bytes:
    """An instruction on two registers (or on `rm`, `reg` being an opcode extension)."""
    modrm = _BYTE[0xC0 | (reg & 7) << 3 | rm & 7]
    return _opcode(prefix, rex | (reg & 8) >> 1 | rm >> 3, opcode) + modrm


def _memory(prefix: bytes, rex: int, opcode: bytes, reg: int, base: int, offset: int) -> bytes:
    """An instruction on a register (or opcode extension) and `[base + offset]`."""
    low = base & 7
    modrm = (reg & 7) << 3 | low
    if offset == 0 and low != 5:  # RBP and R13 without a displacement mean RIP-relative instead
        displacement = b""
    elif -0x80 <= offset <= 0x7F:
        modrm |= 0x40
        displacement = _BYTE[offset & 0xFF]
    else:
        modrm |= 0x80
        displacement = _signed_bytes(offset, 4)
    sib = b"\x24" if low == 4 else b""  # RSP and R12 as a base are only reached through a SIB byte
    return _opcode(prefix, rex | (reg & 8) >> 1 | base >> 3, opcode) + _BYTE[modrm] + sib + displacement


def _indexed(
    prefix: bytes, rex: int, opcode: bytes, reg: int, base: int, index: IntRegister, scale: int
) -> bytes:
    """An instruction on a register and `[base + index * scale]`."""
    if index is RSP:
        raise AssemblyError("RSP cannot be an index")
    sib = _BYTE[_SIB_SCALE[scale] | (index & 7) << 3 | base & 7]
    rex |= (reg & 8) >> 1 | (index & 8) >> 2 | base >> 3
    if base & 7 == 5:  # RBP and R13 without a displacement mean no base at all
        return _opcode(prefix, rex, opcode) + _BYTE[0x44 | (reg & 7) << 3] + sib + b"\0"
    return _opcode(prefix, rex, opcode) + _BYTE[0x04 | (reg & 7) << 3] + sib


def _patch_relative32(code: bytearray, position: int, target: int) -> None:
    # Every instruction with such a field ends with it, and distances count from the instruction's end.
    code[position : position + 4] = _signed_bytes(target - position - 4, 4)


class X86_64Assembler:
    """Appends instructions to `buffer`. A method is named after what it emits; destinations come first."""

    __slots__ = ("buffer", "code")

    def __init__(self) -> None:
        self.buffer = CodeBuffer(filler=0xCC)  # int3: running off the end traps
        self.code = self.buffer.code

    # Moves

    def mov(self, d: IntRegister, s: IntRegister, size: int = 8) -> None:
        self.code += _registers(b"", _REX[size], b"\x89", s, d)

    def mov_imm(self, d: IntRegister, value: int) -> None:
        """`d` = `value`, -2**63 to 2**64-1, in the shortest form that leaves the flags alone."""
        if 0 <= value < 1 << 32:
            self.code += _opcode(b"", d >> 3, _BYTE[0xB8 | d & 7]) + value.to_bytes(4, "little")
        elif fits_int32(value):
            self.code += _registers(b"", _W, b"\xc7", 0, d) + _signed_bytes(value, 4)
        elif -(1 << 63) <= value < 1 << 64:
            self.code += _opcode(b"", _W | d >> 3, _BYTE[0xB8 | d & 7]) + (value % (1 << 64)).to_bytes(
                8, "little"
            )
        else:
            raise AssemblyError(f"{value:#x} does not fit 64 bits")

    def mov_al(self, value: int) -> None:
        """The low byte of RAX = `value`, 0 to 255."""
        if not 0 <= value <= 0xFF:
            raise AssemblyError(f"{value} does not fit a byte")
        self.code += _BYTE[0xB0] + _BYTE[value]

    def lea(self, d: IntRegister, base: IntRegister, offset: int) -> None:
        self.code += _memory(b"", _W, b"\x8d", d, base, offset)

    def load(self, d: IntRegister, base: IntRegister, offset: int, size: int, signed: bool) -> None:
        rex, opcode = _LOADS[size, signed]
        self.code += _memory(b"", rex, opcode, d, base, offset)

    def load_indexed(
        self, d: IntRegister, base: IntRegister, index: IntRegister, scale: int, size: int, signed: bool
    ) -> None:
        rex, opcode = _LOADS[size, signed]
        self.code += _indexed(b"", rex, opcode, d, base, index, scale)

    def load_label(self, d: IntRegister, label: Label) -> None:
        """`d` = the eight bytes at `label`."""
        self._relative(_W, b"\x8b", d, label)

    def store(self, base: IntRegister, offset: int, s: IntRegister, size: int) -> None:
        prefix, rex, opcode = _STORES[size]
        if size == 1 and s & 12 == 4:
            rex = _BARE_REX
        self.code += _memory(prefix, rex, opcode, s, base, offset)

    def store_indexed(
        self, base: IntRegister, index: IntRegister, scale: int, s: IntRegister, size: int
    ) -> None:
        prefix, rex, opcode = _STORES[size]
        if size == 1 and s & 12 == 4:
            rex = _BARE_REX
        self.code += _indexed(prefix, rex, opcode, s, base, index, scale)

    def store_imm(self, base: IntRegister, offset: int, value: int, size: int) -> None:
        """Stores a signed constant of `size` bytes, of at most four bytes sign-extended when `size` is 8."""
        prefix, rex, opcode, width = _IMMEDIATE_STORES[size]
        self.code += _memory(prefix, rex, opcode, 0, base, offset) + _signed_bytes(value, width)

    def extend(self, d: IntRegister, s: IntRegister, size: int, signed: bool) -> None:
        """`d` = the low 1 or 2 bytes of `s` extended (unsigned or signed), or the low 4 sign-extended."""
        rex, opcode = _LOADS[size, signed]
        if len(opcode) == 1 and opcode != b"\x63":
            raise AssemblyError(f"a plain move extends {size} bytes")
        if size == 1 and s & 12 == 4:
            rex |= _BARE_REX
        self.code += _registers(b"", rex, opcode, d, s)

    def push(self, s: IntRegister) -> None:
        self.code += _opcode(b"", s >> 3, _BYTE[0x50 | s & 7])

    def pop(self, d: IntRegister) -> None:
        self.code += _opcode(b"", d >> 3, _BYTE[0x58 | d & 7])

    # Integer arithmetic

    def alu(self, operation: Alu, d: IntRegister, s: IntRegister) -> None:
        self.code += _registers(b"", _W, _BYTE[operation << 3 | 1], s, d)

    def alu_imm(self, operation: Alu, d: IntRegister, value: int, size: int = 8) -> None:
        """`d` op= `value`, signed 32 bits (sign-extended when `size` is 8)."""
        rex = _REX[size]
        if -0x80 <= value <= 0x7F:
            self.code += _registers(b"", rex, b"\x83", operation, d) + _BYTE[value & 0xFF]
        elif d is RAX:
            self.code += _opcode(b"", rex, _BYTE[operation << 3 | 5]) + _signed_bytes(value, 4)
        else:
            self.code += _registers(b"", rex, b"\x81", operation, d) + _signed_bytes(value, 4)

    def alu_memory(self, operation: Alu, d: IntRegister, base: IntRegister, offset: int) -> None:
        self.code += _memory(b"", _W, _BYTE[operation << 3 | 3], d, base, offset)

    def alu_label(self, operation: Alu, d: IntRegister, label: Label) -> None:
        """`d` op= the eight bytes at `label`."""
        self._relative(_W, _BYTE[operation << 3 | 3], d, label)

    def test(self, a: IntRegister, b: IntRegister) -> None:
        self.code += _registers(b"", _W, b"\x85", b, a)

    def test_imm(self, a: IntRegister, value: int, size: int) -> None:
        """Flags of `a` & `value`, signed 32 bits (sign-extended when `size` is 8), or signed 8 for size 1."""
        if size == 1:
            self._test_byte(a, value)
        elif a is RAX:
            self.code += _opcode(b"", _REX[size], b"\xa9") + _signed_bytes(value, 4)
        else:
            self.code += _registers(b"", _REX[size], b"\xf7", 0, a) + _signed_bytes(value, 4)

    def _test_byte(self, a: IntRegister, value: int) -> None:
        if a is RAX:
            self.code += b"\xa8" + _signed_bytes(value, 1)
        else:
            rex = _BARE_REX if a & 12 == 4 else 0
            self.code += _registers(b"", rex, b"\xf6", 0, a) + _signed_bytes(value, 1)

    def test_label(self, a: IntRegister, label: Label) -> None:
        self._relative(_W, b"\x85", a, label)

    def imul(self, d: IntRegister, s: IntRegister) -> None:
        self.code += _registers(b"", _W, b"\x0f\xaf", d, s)

    def neg(self, d: IntRegister) -> None:
        self.code += _registers(b"", _W, b"\xf7", 3, d)

    def shift(self, operation: Shift, d: IntRegister, count: int) -> None:
        if not 0 <= count <= 63:
            raise AssemblyError(f"cannot shift 64 bits by {count}")
        if count == 1:
            self.code += _registers(b"", _W, b"\xd1", operation, d)
        else:
            self.code += _registers(b"", _W, b"\xc1", operation, d) + _BYTE[count]

    def inc_memory(self, base: IntRegister, offset: int) -> None:
        """Adds one to the eight bytes at `[base + offset]`."""
        self.code += _memory(b"", _W, b"\xff", 0, base, offset)

    def stc(self) -> None:
        """Sets the carry flag."""
        self.code += b"\xf9"

    def setcc(self, condition: Condition, d: IntRegister) -> None:
        """The low byte of `d` = 1 or 0; the rest of it is left alone."""
        rex = _BARE_REX if d & 12 == 4 else 0
        self.code += _registers(b"", rex, b"\x0f" + _BYTE[0x90 | condition], 0, d)

    def cmov(self, condition: Condition, d: IntRegister, s: IntRegister) -> None:
        self.code += _registers(b"", _W, b"\x0f" + _BYTE[0x40 | condition], d, s)

    # Floating point

    def sse(self, operation: Sse, d: VectorRegister, s: VectorRegister) -> None:
        prefix = _BYTE[operation >> 8] if operation >> 8 else b""
        self.code += _registers(prefix, 0, b"\x0f" + _BYTE[operation & 0xFF], d, s)

    def fload(self, d: VectorRegister, base: IntRegister, offset: int, size: int) -> None:
        """MOVSD (size 8) or MOVSS (size 4), where the rest of `d` becomes zero; MOVUPS (size 16)."""
        self.code += _memory(_FLOAT_PREFIX[size], 0, b"\x0f\x10", d, base, offset)

    def fstore(self, base: IntRegister, offset: int, s: VectorRegister, size: int) -> None:
        self.code += _memory(_FLOAT_PREFIX[size], 0, b"\x0f\x11", s, base, offset)

    def cvtsi2sd(self, d: VectorRegister, s: IntRegister) -> None:
        self.code += _registers(b"\xf2", _W, b"\x0f\x2a", d, s)

    def movq_from_int(self, d: VectorRegister, s: IntRegister) -> None:
        self.code += _registers(b"\x66", _W, b"\x0f\x6e", d, s)

    def movq_to_int(self, d: IntRegister, s: VectorRegister) -> None:
        self.code += _registers(b"\x66", _W, b"\x0f\x7e", s, d)

    # Control flow

    def jcc(self, condition: Condition, label: Label) -> None:
        if not self._short_backward(0x70 | condition, label):
            self.code += b"\x0f" + _BYTE[0x80 | condition]
            self._distance(label)

    def jcc_over(self, condition: Condition, distance: int) -> None:
        """Jumps over the next `distance` bytes (0 to 127)."""
        self.code += _BYTE[0x70 | condition] + _signed_bytes(distance, 1)

    def jmp(self, label: Label) -> None:
        if not self._short_backward(0xEB, label):
            self.code += b"\xe9"
            self._distance(label)

    def call(self, label: Label) -> None:
        self.code += b"\xe8"
        self._distance(label)

    def call_register(self, s: IntRegister) -> None:
        self.code += _registers(b"", 0, b"\xff", 2, s)

    def jmp_register(self, s: IntRegister) -> None:
        self.code += _registers(b"", 0, b"\xff", 4, s)

    def call_memory(self, base: IntRegister, offset: int) -> None:
        self.code += _memory(b"", 0, b"\xff", 2, base, offset)

    def jmp_memory(self, base: IntRegister, offset: int) -> None:
        self.code += _memory(b"", 0, b"\xff", 4, base, offset)

    def call_through(self, label: Label) -> None:
        """Calls the address stored at `label`."""
        self._relative(0, b"\xff", 2, label)

    def jmp_through(self, label: Label) -> None:
        """Jumps to the address stored at `label`."""
        self._relative(0, b"\xff", 4, label)

    def ret(self) -> None:
        self.code += b"\xc3"

    def leave(self) -> None:
        self.code += b"\xc9"

    def ud2(self) -> None:
        self.code += b"\x0f\x0b"

    # Labels

    def _short_backward(self, opcode: int, label: Label) -> bool:
        """Emits a two-byte jump if `label` is known and near enough."""
        if label.position is None:
            return False
        distance = label.position - len(self.code) - 2
        if distance < -0x80:
            return False
        self.code += _BYTE[opcode] + _BYTE[distance & 0xFF]
        return True

    def _relative(self, rex: int, opcode: bytes, reg: int, label: Label) -> None:
        """An instruction on a register and memory at `label`, RIP-relative."""
        self.code += _opcode(b"", rex | (reg & 8) >> 1, opcode) + _BYTE[(reg & 7) << 3 | 5]
        self._distance(label)

    def _distance(self, label: Label) -> None:
        self.buffer.refer(len(self.code), label, _patch_relative32)
        self.code += b"\0\0\0\0"
