"""The AArch64 (A64) instructions the trampoline uses.

Encodings: Arm Architecture Reference Manual for A-profile (DDI 0487), part C, chapter C6 (base
instructions) and C7 (floating point). Baseline Armv8.0; nothing optional.

Register number 31 is the stack pointer in some operand positions and zero in others: a method raises
AssemblyError when given the one its instruction cannot name. Sizes and offsets are bytes. A 32-bit result
clears the upper half of its register.
"""

from __future__ import annotations

from enum import IntEnum

from . import AssemblyError, CodeBuffer, Forms, IntRegister, Label, VectorRegister
from .buffer import Patch

INT_REGISTERS = tuple(IntRegister(number, f"X{number}") for number in range(31))
VECTOR_REGISTERS = tuple(VectorRegister(number, f"V{number}") for number in range(32))
X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, X10, X11, X12, X13, X14, X15 = INT_REGISTERS[:16]
X16, X17, X18, X19, X20, X21, X22, X23, X24, X25, X26, X27, X28, X29, X30 = INT_REGISTERS[16:]
V0, V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12, V13, V14, V15 = VECTOR_REGISTERS[:16]
V16, V17, V18, V19, V20, V21, V22, V23, V24, V25, V26, V27, V28, V29, V30, V31 = VECTOR_REGISTERS[16:]
SP = IntRegister(31, "SP")
XZR = IntRegister(31, "XZR")


class Op(IntEnum):
    """Two-source integer operations; the value is the 64-bit shifted-register form. S sets the flags."""

    ADD = 0x8B000000
    ADDS = 0xAB000000
    SUB = 0xCB000000
    SUBS = 0xEB000000
    AND = 0x8A000000
    ANDS = 0xEA000000
    ORR = 0xAA000000
    EOR = 0xCA000000


class Condition(IntEnum):
    """Condition codes, by number. Flipping the lowest bit inverts the condition."""

    EQ = 0
    NE = 1
    HS = 2
    LO = 3
    MI = 4
    PL = 5
    VS = 6
    VC = 7
    HI = 8
    LS = 9
    GE = 10
    LT = 11
    GT = 12
    LE = 13


class Convert(IntEnum):
    """Moves and conversions between two registers, each of either kind; the value is the whole encoding."""

    FMOV_D_D = 0x1E604000
    FCVT_S_D = 0x1E624000
    FCVT_D_S = 0x1E22C000
    SCVTF_D_X = 0x9E620000
    FMOV_D_X = 0x9E670000
    FMOV_X_D = 0x9E660000


_SF = 1 << 31  # clear: the operation works on 32 bits
_SF_MASK = Forms({8: 0xFFFFFFFF, 4: 0x7FFFFFFF})
_ADD_IMMEDIATE = Forms({Op.ADD: 0x91000000, Op.ADDS: 0xB1000000, Op.SUB: 0xD1000000, Op.SUBS: 0xF1000000})
_EXTENDED = Forms({Op.ADD: 0x8B206000, Op.SUB: 0xCB206000})
_LOGICAL_IMMEDIATE = Forms({Op.AND: 0x92000000, Op.ORR: 0xB2000000, Op.EOR: 0xD2000000, Op.ANDS: 0xF2000000})

# Transfers in the form with a scaled unsigned offset; the other two forms follow from it.
_LOADS = Forms(
    {
        (8, False): 0xF9400000,
        (8, True): 0xF9400000,
        (4, False): 0xB9400000,
        (4, True): 0xB9800000,
        (2, False): 0x79400000,
        (2, True): 0x79800000,
        (1, False): 0x39400000,
        (1, True): 0x39800000,
    }
)
_STORES = Forms({8: 0xF9000000, 4: 0xB9000000, 2: 0x79000000, 1: 0x39000000})
_FLOAT_LOADS = Forms({16: 0x3DC00000, 8: 0xFD400000, 4: 0xBD400000})
_FLOAT_STORES = Forms({16: 0x3D800000, 8: 0xFD000000, 4: 0xBD000000})
_SCALED = 1 << 24  # set in the scaled form, clear in the unscaled and the register-offset forms
_REGISTER_OFFSET = 0x00206800  # [base, index], index a whole 64-bit register

_PAIR_LOAD = 1 << 22
_PAIR_OFFSET, _PAIR_PRE, _PAIR_POST = 0xA9000000, 0xA9800000, 0xA8800000


def logical_immediate(value: int, bits: int = 64) -> int | None:
    """The N:immr:imms field (13 bits) for `value`, 0 to 2**bits-1; None if it is not a logical immediate.

    A logical immediate is an element of 2, 4, ... 64 bits, repeated; the element is one run of ones, rotated.
    """
    size = bits
    while size > 2 and value & (1 << size // 2) - 1 == value >> size // 2 & (1 << size // 2) - 1:
        if value != (value & (1 << size) - 1) * (((1 << bits) - 1) // ((1 << size) - 1)):
            return None
        size //= 2
    mask = (1 << size) - 1
    element = value & mask
    if element in (0, mask) or value != element * (((1 << bits) - 1) // mask):
        return None
    # Rotate right until the run starts at bit 0; then it must be the only one.
    rotation = 0
    while not (element & 1 and not element >> size - 1):
        element = element >> 1 | (element & 1) << size - 1
        rotation += 1
    if element & element + 1:
        return None
    ones = element.bit_length()
    imms = (~(size * 2 - 1) & 0x3F) | ones - 1
    return (size == 64) << 12 | (size - rotation) % size << 6 | imms


def fits_add_immediate(value: int) -> bool:
    """Whether ADD and SUB take `value` (not negative): 12 bits, or 12 bits shifted left by 12."""
    return value < 0x1000 or (value < 0x1000000 and not value & 0xFFF)


def fits_offset(offset: int, size: int) -> bool:
    """Whether a transfer of `size` bytes takes `offset` without an index register."""
    return -0x100 <= offset < 0x100 or (not offset % size and 0 <= offset < size * 0x1000)


def _no_sp(*registers: IntRegister) -> None:
    for register in registers:
        if register is SP:
            raise AssemblyError("SP cannot be an operand here: number 31 means zero")


def _no_zero(*registers: IntRegister) -> None:
    for register in registers:
        if register is XZR:
            raise AssemblyError("XZR cannot be an operand here: number 31 means SP")


def _transfer(form: int, size: int, t: int, base: IntRegister, offset: int) -> int:
    _no_zero(base)
    word = form | base << 5 | t
    if not offset % size and 0 <= offset < size * 0x1000:
        return word | offset // size << 10
    if -0x100 <= offset < 0x100:
        return (word ^ _SCALED) | (offset & 0x1FF) << 12
    raise AssemblyError(f"offset {offset:#x} is out of range for {size} bytes")


def _transfer_indexed(form: int, t: int, base: IntRegister, index: IntRegister, scaled: bool) -> int:
    _no_zero(base)
    _no_sp(index)
    return (form ^ _SCALED) | _REGISTER_OFFSET | index << 16 | scaled << 12 | base << 5 | t


def _distance_patch(bits: int, shift: int) -> Patch:
    """A patch for a signed count of instructions, `bits` wide, at bit `shift`."""
    limit = 1 << bits - 1

    def patch(code: bytearray, position: int, target: int) -> None:
        words, rest = divmod(target - position, 4)
        if rest or not -limit <= words < limit:
            raise AssemblyError(f"the instruction at {position:#x} does not reach {target:#x}")
        word = int.from_bytes(code[position : position + 4], "little")
        word |= (words & 2 * limit - 1) << shift
        code[position : position + 4] = word.to_bytes(4, "little")

    return patch


_patch26 = _distance_patch(26, 0)
_patch19 = _distance_patch(19, 5)


class AArch64Assembler:
    """Appends instructions to `buffer`. A method is named after what it emits; destinations come first."""

    __slots__ = ("buffer", "code")

    def __init__(self) -> None:
        self.buffer = CodeBuffer(filler=0)  # the word zero is UDF #0: running off the end traps
        self.code = self.buffer.code

    def _emit(self, word: int) -> None:
        self.code += word.to_bytes(4, "little")

    def _emit_distance(self, word: int, label: Label, patch: Patch) -> None:
        self.buffer.refer(len(self.code), label, patch)
        self.code += word.to_bytes(4, "little")

    # Integer arithmetic

    def op(
        self, operation: Op, d: IntRegister, n: IntRegister, m: IntRegister, shift: int = 0, size: int = 8
    ) -> None:
        """`d` = `n` op (`m` << `shift`), `shift` 0 to 63 (31 for size 4)."""
        _no_sp(d, n, m)
        if not 0 <= shift < 8 * size:
            raise AssemblyError(f"cannot shift {8 * size} bits by {shift}")
        self._emit(operation & _SF_MASK[size] | m << 16 | shift << 10 | n << 5 | d)

    def op_extended(
        self, operation: Op, d: IntRegister, n: IntRegister, m: IntRegister, shift: int = 0
    ) -> None:
        """ADD or SUB: `d` = `n` op (`m` << `shift`), `shift` 0 to 4; `d` and `n` may be SP."""
        word = _EXTENDED[operation]
        _no_zero(d, n)
        _no_sp(m)
        if not 0 <= shift <= 4:
            raise AssemblyError(f"an extended register is not shifted by {shift}")
        self._emit(word | m << 16 | shift << 10 | n << 5 | d)

    def add_imm(self, operation: Op, d: IntRegister, n: IntRegister, value: int, size: int = 8) -> None:
        """ADD, ADDS, SUB, SUBS with a value that `fits_add_immediate`; `n` may be SP, `d` too without S."""
        word = _ADD_IMMEDIATE[operation] & _SF_MASK[size]
        _no_zero(n)
        (_no_sp if operation in (Op.ADDS, Op.SUBS) else _no_zero)(d)
        if value < 0 or not fits_add_immediate(value):
            raise AssemblyError(f"{value:#x} is no 12-bit immediate")
        field = value << 10 if value < 0x1000 else 1 << 22 | value >> 2
        self._emit(word | field | n << 5 | d)

    def logical_imm(self, operation: Op, d: IntRegister, n: IntRegister, value: int, size: int = 8) -> None:
        """AND, ANDS, ORR, EOR with a value (unsigned) that `logical_immediate` accepts."""
        word = _LOGICAL_IMMEDIATE[operation] & _SF_MASK[size]
        _no_sp(n)
        (_no_sp if operation is Op.ANDS else _no_zero)(d)
        field = logical_immediate(value, 8 * size) if 0 <= value < 1 << 8 * size else None
        if field is None:
            raise AssemblyError(f"{value:#x} is no logical immediate")
        self._emit(word | field << 10 | n << 5 | d)

    def movz(self, d: IntRegister, value: int, shift: int = 0) -> None:
        """`d` = `value` << `shift`, 16 bits at 0, 16, 32 or 48."""
        self._move_wide(0xD2800000, d, value, shift)

    def movn(self, d: IntRegister, value: int, shift: int = 0) -> None:
        """`d` = ~(`value` << `shift`)."""
        self._move_wide(0x92800000, d, value, shift)

    def movk(self, d: IntRegister, value: int, shift: int = 0) -> None:
        """Replaces sixteen bits of `d`."""
        self._move_wide(0xF2800000, d, value, shift)

    def _move_wide(self, word: int, d: IntRegister, value: int, shift: int) -> None:
        _no_sp(d)
        if not 0 <= value <= 0xFFFF or shift not in (0, 16, 32, 48):
            raise AssemblyError(f"{value:#x} << {shift} is no wide immediate")
        self._emit(word | shift << 17 | value << 5 | d)

    def mul(self, d: IntRegister, n: IntRegister, m: IntRegister) -> None:
        _no_sp(d, n, m)
        self._emit(0x9B007C00 | m << 16 | n << 5 | d)

    def bitfield(self, signed: bool, d: IntRegister, n: IntRegister, rotate: int, last: int) -> None:
        """UBFM or SBFM on 64 bits: every shift and extension by a constant is one of these."""
        _no_sp(d, n)
        if not (0 <= rotate <= 63 and 0 <= last <= 63):
            raise AssemblyError(f"no bit field {rotate}, {last} in 64 bits")
        self._emit((0x93400000 if signed else 0xD3400000) | rotate << 16 | last << 10 | n << 5 | d)

    def csel(self, condition: Condition, d: IntRegister, n: IntRegister, m: IntRegister) -> None:
        """`d` = `n` if the condition holds, else `m`."""
        _no_sp(d, n, m)
        self._emit(0x9A800000 | m << 16 | condition << 12 | n << 5 | d)

    def cset(self, condition: Condition, d: IntRegister) -> None:
        """`d` = 1 if the condition holds, else 0."""
        _no_sp(d)
        self._emit(0x9A9F07E0 | (condition ^ 1) << 12 | d)

    # Memory

    def load(self, d: IntRegister, base: IntRegister, offset: int, size: int, signed: bool) -> None:
        _no_sp(d)
        self._emit(_transfer(_LOADS[size, signed], size, d, base, offset))

    def store(self, base: IntRegister, offset: int, s: IntRegister, size: int) -> None:
        _no_sp(s)
        self._emit(_transfer(_STORES[size], size, s, base, offset))

    def fload(self, d: VectorRegister, base: IntRegister, offset: int, size: int) -> None:
        self._emit(_transfer(_FLOAT_LOADS[size], size, d, base, offset))

    def fstore(self, base: IntRegister, offset: int, s: VectorRegister, size: int) -> None:
        self._emit(_transfer(_FLOAT_STORES[size], size, s, base, offset))

    def load_indexed(
        self, d: IntRegister, base: IntRegister, index: IntRegister, scaled: bool, size: int, signed: bool
    ) -> None:
        """From `[base + index]`, or `[base + index * size]` when `scaled`."""
        _no_sp(d)
        self._emit(_transfer_indexed(_LOADS[size, signed], d, base, index, scaled))

    def store_indexed(
        self, base: IntRegister, index: IntRegister, scaled: bool, s: IntRegister, size: int
    ) -> None:
        _no_sp(s)
        self._emit(_transfer_indexed(_STORES[size], s, base, index, scaled))

    def fload_indexed(
        self, d: VectorRegister, base: IntRegister, index: IntRegister, scaled: bool, size: int
    ) -> None:
        self._emit(_transfer_indexed(_FLOAT_LOADS[size], d, base, index, scaled))

    def fstore_indexed(
        self, base: IntRegister, index: IntRegister, scaled: bool, s: VectorRegister, size: int
    ) -> None:
        self._emit(_transfer_indexed(_FLOAT_STORES[size], s, base, index, scaled))

    def load_label(self, d: IntRegister, label: Label) -> None:
        """`d` = the eight bytes at `label`, at most 1 MiB away."""
        _no_sp(d)
        self._emit_distance(0x58000000 | d, label, _patch19)

    def stp(self, s1: IntRegister, s2: IntRegister, base: IntRegister, offset: int) -> None:
        """Stores a pair at `[base + offset]`, a multiple of 8 from -512 to 504."""
        self._pair(_PAIR_OFFSET, s1, s2, base, offset)

    def ldp(self, d1: IntRegister, d2: IntRegister, base: IntRegister, offset: int) -> None:
        self._pair(_PAIR_OFFSET | _PAIR_LOAD, d1, d2, base, offset)

    def stp_before(self, s1: IntRegister, s2: IntRegister, base: IntRegister, offset: int) -> None:
        """Adds `offset` to `base`, then stores a pair at `[base]`."""
        self._pair(_PAIR_PRE, s1, s2, base, offset)

    def ldp_after(self, d1: IntRegister, d2: IntRegister, base: IntRegister, offset: int) -> None:
        """Loads a pair from `[base]`, then adds `offset` to `base`."""
        self._pair(_PAIR_POST | _PAIR_LOAD, d1, d2, base, offset)

    def _pair(self, form: int, t1: IntRegister, t2: IntRegister, base: IntRegister, offset: int) -> None:
        _no_sp(t1, t2)
        _no_zero(base)
        if offset % 8 or not -512 <= offset <= 504:
            raise AssemblyError(f"offset {offset:#x} is out of range for a pair")
        if form & _PAIR_LOAD and t1 is t2:
            raise AssemblyError(f"a pair cannot be loaded into {t1!r} twice")
        if form & 0x01800000 != 0x01000000 and base in (t1, t2):  # writes the base back
            raise AssemblyError(f"{base!r} cannot be both moved and transferred")
        self._emit(form | (offset >> 3 & 0x7F) << 15 | t2 << 10 | base << 5 | t1)

    # Floating point

    def convert(
        self, operation: Convert, d: IntRegister | VectorRegister, s: IntRegister | VectorRegister
    ) -> None:
        if d is SP or s is SP:
            raise AssemblyError("SP cannot be converted")
        self._emit(operation | s << 5 | d)

    def fcmp(self, n: VectorRegister, m: VectorRegister) -> None:
        self._emit(0x1E602000 | m << 16 | n << 5)

    def fccmp(self, condition: Condition, n: VectorRegister, m: VectorRegister, otherwise: int) -> None:
        """Compares if the condition holds, else sets the flags NZCV to `otherwise` (4 bits)."""
        if not 0 <= otherwise <= 15:
            raise AssemblyError(f"{otherwise} is no set of flags")
        self._emit(0x1E600400 | m << 16 | condition << 12 | n << 5 | otherwise)

    # Control flow

    def b(self, label: Label) -> None:
        """Jumps at most 128 MiB."""
        self._emit_distance(0x14000000, label, _patch26)

    def bl(self, label: Label) -> None:
        self._emit_distance(0x94000000, label, _patch26)

    def b_cond(self, condition: Condition, label: Label) -> None:
        """Jumps at most 1 MiB, as do CBZ and CBNZ."""
        self._emit_distance(0x54000000 | condition, label, _patch19)

    def cbz(self, n: IntRegister, label: Label) -> None:
        _no_sp(n)
        self._emit_distance(0xB4000000 | n, label, _patch19)

    def cbnz(self, n: IntRegister, label: Label) -> None:
        _no_sp(n)
        self._emit_distance(0xB5000000 | n, label, _patch19)

    def br(self, n: IntRegister) -> None:
        _no_sp(n)
        self._emit(0xD61F0000 | n << 5)

    def blr(self, n: IntRegister) -> None:
        _no_sp(n)
        self._emit(0xD63F0000 | n << 5)

    def ret(self) -> None:
        self._emit(0xD65F03C0)

    def brk(self, value: int = 0) -> None:
        if not 0 <= value <= 0xFFFF:
            raise AssemblyError(f"{value} does not fit 16 bits")
        self._emit(0xD4200000 | value << 5)
