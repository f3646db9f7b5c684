"""Every instruction form of the AArch64 assembler, read back by capstone and compared with GNU `as`.

A case is the method to call, its operands, and the text that a disassembler must show for it, preferred
aliases (`mov`, `cmp`, `lsl`...) included. The sweeps run over registers, sizes and classes of offset:
scaled, unscaled, register.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from epsilon.foreign.backend.trampoline.assembler import AssemblyError, IntRegister, Label
from epsilon.foreign.backend.trampoline.assembler.aarch64 import (
    INT_REGISTERS,
    SP,
    V0,
    VECTOR_REGISTERS,
    X0,
    X1,
    X2,
    X3,
    X29,
    X30,
    XZR,
    AArch64Assembler,
    Condition,
    Convert,
    Op,
    fits_offset,
    logical_immediate,
)

Arm = AArch64Assembler
Emit = Callable[[Arm], None]
Case = tuple[Callable[..., None], tuple[object, ...], str]
Cases = Callable[[], Iterator[Case]]

SOME = (*INT_REGISTERS[::5], X29, X30)
"""A sample of registers whose numbers, together, set and clear each of the five bits."""
BASES = (*INT_REGISTERS, SP)
SOURCES = (*INT_REGISTERS, XZR)
SOME_VECTORS = VECTOR_REGISTERS[::4] + VECTOR_REGISTERS[31:]
ADD_IMMEDIATES = (0, 1, 9, 10, 0xFFF, 0x1000, 0xFFF000, 0x123000)
ADDITIONS = (Op.ADD, Op.ADDS, Op.SUB, Op.SUBS)
LOGICALS = (Op.AND, Op.ANDS, Op.ORR, Op.EOR)
LOADS = {  # (size, signed) -> mnemonic, letter of the register named
    (8, False): ("ldr", "x"),
    (8, True): ("ldr", "x"),
    (4, False): ("ldr", "w"),
    (4, True): ("ldrsw", "x"),
    (2, False): ("ldrh", "w"),
    (2, True): ("ldrsh", "x"),
    (1, False): ("ldrb", "w"),
    (1, True): ("ldrsb", "x"),
}
STORES = {8: ("str", "x"), 4: ("str", "w"), 2: ("strh", "w"), 1: ("strb", "w")}
FLOATS = {16: "q", 8: "d", 4: "s"}


def name(register: IntRegister, letter: str = "x") -> str:
    if register is SP:
        return "sp" if letter == "x" else "wsp"
    return f"{letter}zr" if register is XZR else f"{letter}{int(register)}"


def number(value: int) -> str:
    sign = "-" if value < 0 else ""
    return f"#{sign}{abs(value):#x}" if abs(value) > 9 else f"#{value}"


def address(base: IntRegister, offset: int) -> str:
    return f"[{name(base)}, {number(offset)}]" if offset else f"[{name(base)}]"


def unscaled(mnemonic: str, offset: int, size: int) -> str:
    """LDR, STR... become LDUR, STUR... when the offset is no multiple of the size from 0 up."""
    scaled = offset >= 0 and offset % size == 0
    return mnemonic if scaled else mnemonic.replace("ld", "ldu", 1).replace("st", "stu", 1)


def offsets(size: int) -> Iterator[int]:
    yield from (offset for offset in (0, size, size * 0xFFF, 255, -1, -256, 1) if fits_offset(offset, size))


def shifted_arithmetic() -> Iterator[Case]:
    for operation, d, n, m in product(Op, SOME, SOME, SOME):
        mnemonic = operation.name.lower()
        for size, letter in ((8, "x"), (4, "w")):
            text = f"{mnemonic} {name(d, letter)}, {name(n, letter)}, {name(m, letter)}"
            yield Arm.op, (operation, d, n, m, 0, size), text
            for shift in (1, 8 * size - 1):
                yield Arm.op, (operation, d, n, m, shift, size), f"{text}, lsl {number(shift)}"


def zero_register_aliases() -> Iterator[Case]:
    for d, s, (size, letter) in product(INT_REGISTERS, SOURCES, ((8, "x"), (4, "w"))):
        names = f"{name(d, letter)}, {name(s, letter)}"
        yield Arm.op, (Op.ORR, d, XZR, s, 0, size), f"mov {names}"
        yield Arm.op, (Op.SUBS, XZR, d, s, 0, size), f"cmp {names}"
        yield Arm.op, (Op.ANDS, XZR, d, s, 0, size), f"tst {names}"
        yield Arm.op, (Op.ADDS, XZR, d, s, 0, size), f"cmn {names}"
        yield Arm.op, (Op.SUBS, d, XZR, s, 0, size), f"negs {names}"


def extended_arithmetic() -> Iterator[Case]:
    for operation, m, shift in product((Op.ADD, Op.SUB), SOME, range(5)):
        mnemonic, tail = operation.name.lower(), f" {number(shift)}" if shift else ""
        for d, n in ((X3, X1), (X30, X29)):
            yield (
                Arm.op_extended,
                (operation, d, n, m, shift),
                f"{mnemonic} {name(d)}, {name(n)}, {name(m)}, uxtx{tail}",
            )
        for d, n in ((SP, X1), (X1, SP), (SP, SP)):
            # UXTX next to SP is spelt LSL, and not at all without a shift.
            yield (
                Arm.op_extended,
                (operation, d, n, m, shift),
                f"{mnemonic} {name(d)}, {name(n)}, {name(m)}" + (f", lsl{tail}" if shift else ""),
            )


def constant_arithmetic() -> Iterator[Case]:
    for operation, n, value, (size, letter) in product(
        ADDITIONS, BASES, ADD_IMMEDIATES, ((8, "x"), (4, "w"))
    ):
        d = X2 if n is not X2 else X3
        field = number(value) if value < 0x1000 else f"{number(value >> 12)}, lsl #12"
        source, result = name(n, letter), name(d, letter)
        text = f"{operation.name.lower()} {result}, {source}, {field}"
        if operation is Op.ADD and value == 0 and n is SP:
            text = f"mov {result}, {source}"
        yield Arm.add_imm, (operation, d, n, value, size), text
        if operation in (Op.ADDS, Op.SUBS):
            alias = {Op.ADDS: "cmn", Op.SUBS: "cmp"}[operation]
            yield Arm.add_imm, (operation, XZR, n, value, size), f"{alias} {source}, {field}"
        elif value:
            yield Arm.add_imm, (operation, SP, n, value), f"{operation.name.lower()} sp, {name(n)}, {field}"


def runs(bits: int) -> Iterator[int]:
    """Every logical immediate of `bits` bits: a rotated run of ones in an element that repeats."""
    element = 2
    while element <= bits:
        repeat = ((1 << bits) - 1) // ((1 << element) - 1)
        for ones, rotation in product(range(1, element), range(element)):
            run = (1 << ones) - 1
            yield (run >> rotation | run << element - rotation & (1 << element) - 1) * repeat
        element *= 2


def logical_immediates() -> Iterator[Case]:
    for size, letter in ((8, "x"), (4, "w")):
        for position, value in enumerate(runs(8 * size)):
            d, n = INT_REGISTERS[position % 31], INT_REGISTERS[position // 31 % 31]
            operation = LOGICALS[position % 4]
            text = f"{operation.name.lower()} {name(d, letter)}, {name(n, letter)}, {number(value)}"
            yield Arm.logical_imm, (operation, d, n, value, size), text
            yield Arm.logical_imm, (Op.ANDS, XZR, n, value, size), f"tst {name(n, letter)}, {number(value)}"


def wide_constants() -> Iterator[Case]:
    for d, value, shift in product(SOURCES, (1, 9, 10, 0xFFFF), (0, 16, 32, 48)):
        tail = f", lsl #{shift}" if shift else ""
        yield Arm.movk, (d, value, shift), f"movk {name(d)}, {number(value)}{tail}"
        yield Arm.movz, (d, value, shift), f"mov {name(d)}, {number(value << shift)}"
        inverse = ~(value << shift)
        yield Arm.movn, (d, value, shift), f"mov {name(d)}, {number(inverse)}"


def products() -> Iterator[Case]:
    for d, n, m in product(SOME, SOME, (*SOME, XZR)):
        yield Arm.mul, (d, n, m), f"mul {name(d)}, {name(n)}, {name(m)}"


def bit_fields() -> Iterator[Case]:
    for d, n in product(SOME, INT_REGISTERS):
        names = f"{name(d)}, {name(n)}"
        for count in (1, 9, 31, 62):
            yield Arm.bitfield, (False, d, n, 64 - count, 63 - count), f"lsl {names}, {number(count)}"
            yield Arm.bitfield, (False, d, n, count, 63), f"lsr {names}, {number(count)}"
            yield Arm.bitfield, (True, d, n, count, 63), f"asr {names}, {number(count)}"
        for size, alias in ((1, "sxtb"), (2, "sxth"), (4, "sxtw")):
            yield Arm.bitfield, (True, d, n, 0, 8 * size - 1), f"{alias} {name(d)}, {name(n, 'w')}"
            yield Arm.bitfield, (False, d, n, 0, 8 * size - 1), f"ubfx {names}, #0, {number(8 * size)}"


def conditionals() -> Iterator[Case]:
    for condition, d, n, m in product(Condition, SOME, SOME, (X2, X30)):
        text = f"csel {name(d)}, {name(n)}, {name(m)}, {condition.name.lower()}"
        yield Arm.csel, (condition, d, n, m), text
    for condition, d in product(Condition, INT_REGISTERS):
        yield Arm.cset, (condition, d), f"cset {name(d)}, {condition.name.lower()}"


def loads_and_stores() -> Iterator[Case]:
    for base, t, (form, (mnemonic, letter)) in product(BASES, SOME, LOADS.items()):
        for offset in offsets(form[0]):
            yield (
                Arm.load,
                (t, base, offset, *form),
                f"{unscaled(mnemonic, offset, form[0])} {name(t, letter)}, {address(base, offset)}",
            )
    for base, t, (size, (mnemonic, letter)) in product(BASES, (*SOME, XZR), STORES.items()):
        for offset in offsets(size):
            yield (
                Arm.store,
                (base, offset, t, size),
                f"{unscaled(mnemonic, offset, size)} {name(t, letter)}, {address(base, offset)}",
            )
    for base, v, (size, letter) in product(BASES, SOME_VECTORS, FLOATS.items()):
        for offset in offsets(size):
            tail = f" {letter}{int(v)}, {address(base, offset)}"
            yield Arm.fload, (v, base, offset, size), unscaled("ldr", offset, size) + tail
            yield Arm.fstore, (base, offset, v, size), unscaled("str", offset, size) + tail


def indexed_loads_and_stores() -> Iterator[Case]:
    for base, index, t, scaled in product(BASES, SOME, (X0, X30), (False, True)):
        for form, (mnemonic, letter) in LOADS.items():
            yield (
                Arm.load_indexed,
                (t, base, index, scaled, *form),
                f"{mnemonic} {name(t, letter)}, {element(base, index, scaled, form[0])}",
            )
        for size, (mnemonic, letter) in STORES.items():
            yield (
                Arm.store_indexed,
                (base, index, scaled, t, size),
                f"{mnemonic} {name(t, letter)}, {element(base, index, scaled, size)}",
            )
        for size, letter in FLOATS.items():
            v, place = VECTOR_REGISTERS[int(t)], element(base, index, scaled, size)
            yield Arm.fload_indexed, (v, base, index, scaled, size), f"ldr {letter}{int(v)}, {place}"
            yield Arm.fstore_indexed, (base, index, scaled, v, size), f"str {letter}{int(v)}, {place}"


def element(base: IntRegister, index: IntRegister, scaled: bool, size: int) -> str:
    tail = f", lsl #{size.bit_length() - 1}" if scaled else ""
    return f"[{name(base)}, {name(index)}{tail}]"


def pairs() -> Iterator[Case]:
    for base, offset, (t1, t2) in product(BASES, (0, 8, 16, 504, -8, -512), ((X0, X1), (X29, X30), (X3, X2))):
        names = f"{name(t1)}, {name(t2)}"
        yield Arm.stp, (*(t1, t2), base, offset), f"stp {names}, {address(base, offset)}"
        if base in (t1, t2):
            continue
        yield Arm.ldp, (*(t1, t2), base, offset), f"ldp {names}, {address(base, offset)}"
        yield Arm.stp_before, (*(t1, t2), base, offset), f"stp {names}, [{name(base)}, {number(offset)}]!"
        yield Arm.ldp_after, (*(t1, t2), base, offset), f"ldp {names}, [{name(base)}], {number(offset)}"


def floating_point() -> Iterator[Case]:
    kinds = {"D": VECTOR_REGISTERS, "S": VECTOR_REGISTERS, "X": SOURCES}
    for operation in Convert:
        mnemonic, to, of = operation.name.split("_")
        for d, s in product(kinds[to], kinds[of]):
            names = [
                name(r) if isinstance(r, IntRegister) else f"{k.lower()}{int(r)}"
                for k, r in ((to, d), (of, s))
            ]
            yield Arm.convert, (operation, d, s), f"{mnemonic.lower()} {', '.join(names)}"
    for n, m in product(VECTOR_REGISTERS, VECTOR_REGISTERS):
        yield Arm.fcmp, (n, m), f"fcmp d{int(n)}, d{int(m)}"
        condition, flags = list(Condition)[n % 14], (n + m) % 16
        yield (
            Arm.fccmp,
            (condition, n, m, flags),
            f"fccmp d{int(n)}, d{int(m)}, {number(flags)}, {condition.name.lower()}",
        )


def indirect_jumps() -> Iterator[Case]:
    for n in INT_REGISTERS:
        yield Arm.br, (n,), f"br {name(n)}"
        yield Arm.blr, (n,), f"blr {name(n)}"
    yield Arm.ret, (), "ret"
    yield Arm.brk, (), "brk #0"
    yield Arm.brk, (65535,), "brk #0xffff"


TABLES: tuple[Cases, ...] = (
    shifted_arithmetic, zero_register_aliases, extended_arithmetic, constant_arithmetic,
    logical_immediates, wide_constants, products, bit_fields, conditionals, loads_and_stores,
    indexed_loads_and_stores, pairs, floating_point, indirect_jumps,
)  # fmt: skip
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)


def emit(table: Cases) -> tuple[bytes, list[str]]:
    assembler = AArch64Assembler()
    texts = []
    for method, operands, text in table():
        method(assembler, *operands)
        texts.append(text)
    return assembler.buffer.finish(), texts


def disassemble(code: bytes) -> list[str]:
    capstone = pytest.importorskip("capstone", reason="capstone, a disassembler, is not installed")
    engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
    return [f"{mnemonic} {operands}".rstrip() for _, _, mnemonic, operands in engine.disasm_lite(code, 0)]


def plain(text: str) -> str:
    """Immediates in decimal and without sign: capstone's base and sign vary with the instruction."""
    width = 32 if text.split()[1:2] and text.split()[1][0] == "w" else 64
    return re.sub(r"#(-?\w+)", lambda found: f"#{int(found[1], 0) % (1 << width)}", text)


def gnu_assemble(texts: list[str], folder: Path) -> bytes:
    tools = "aarch64-linux-gnu-as", "aarch64-linux-gnu-objcopy"
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} (GNU binutils for AArch64) is not on PATH")
    source, unlinked, flat = folder / "code.s", folder / "code.o", folder / "code.bin"
    source.write_text("\n".join([*texts, ""]))
    made = subprocess.run([tools[0], "-o", unlinked, source], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:2000]
    subprocess.run([tools[1], "-O", "binary", "-j", ".text", unlinked, flat], check=True)
    return flat.read_bytes()


@each_table
def test_a_disassembler_reads_back_what_was_meant(table: Cases) -> None:
    code, texts = emit(table)
    assert [plain(text) for text in disassemble(code)] == [plain(text) for text in texts]


@each_table
def test_gnu_as_writes_the_same_bytes(table: Cases, tmp_path: Path) -> None:
    code, texts = emit(table)
    assert code == gnu_assemble(texts, tmp_path)


@pytest.mark.parametrize("bits", (32, 64))
def test_exactly_the_rotated_runs_are_logical_immediates(bits: int) -> None:
    encodable = set(runs(bits))
    assert len(encodable) == {32: 1302, 64: 5334}[bits]
    neighbours = {value ^ 1 << bit for value in list(encodable)[::7] for bit in range(bits)} - encodable
    for value in neighbours | {0, (1 << bits) - 1}:
        assert logical_immediate(value, bits) is None


Branch = Callable[..., None]
BRANCHES: dict[str, tuple[Branch, tuple[object, ...], str, int]] = {
    # name -> method, operands before the label, text, bits of the distance in instructions
    "b": (Arm.b, (), "b {}", 26),
    "bl": (Arm.bl, (), "bl {}", 26),
    "cbz": (Arm.cbz, (X3,), "cbz x3, {}", 19),
    "cbnz": (Arm.cbnz, (X30,), "cbnz x30, {}", 19),
    "ldr": (Arm.load_label, (X2,), "ldr x2, {}", 19),
    **{c.name: (Arm.b_cond, (c,), f"b.{c.name.lower()} {{}}", 19) for c in Condition},
}
each_branch = pytest.mark.parametrize(("branch", "operands", "text", "bits"), BRANCHES.values(), ids=BRANCHES)


def branch_over(distance: int, branch: Branch, operands: tuple[object, ...]) -> bytes:
    """A branch to a label `distance` bytes from it."""
    assembler, label = Arm(), Label()
    branch(assembler, *operands, label)
    label.position = distance
    return assembler.buffer.finish()


@each_branch
def test_a_branch_goes_to_its_label(
    branch: Branch, operands: tuple[object, ...], text: str, bits: int
) -> None:
    farthest = 4 << bits - 1
    for distance in (0, 4, 40, 0xFFFFC, -4, -0x100000, farthest - 4, -farthest):
        (shown,) = disassemble(branch_over(distance, branch, operands))
        assert plain(shown) == plain(text.format(number(distance)))


@each_branch
def test_a_branch_that_does_not_reach_raises(
    branch: Branch, operands: tuple[object, ...], text: str, bits: int
) -> None:
    farthest = 4 << bits - 1
    for distance in (farthest, -farthest - 4, 2):
        with pytest.raises(AssemblyError, match="does not reach"):
            branch_over(distance, branch, operands)


def test_a_branch_backward_and_a_branch_forward_meet_between_them() -> None:
    assembler, label = Arm(), Label()
    assembler.b(label)
    assembler.buffer.bind(label)
    assembler.ret()
    assembler.cbz(X3, label)
    assert disassemble(assembler.buffer.finish()) == ["b #4", "ret", "cbz x3, #4"]


def test_the_literal_pool_follows_the_code_aligned_and_without_duplicates() -> None:
    assembler = AArch64Assembler()
    for value in (5, -1, (1 << 64) - 1):
        assembler.load_label(X0, assembler.buffer.literal(value))
    code = assembler.buffer.finish()
    assert disassemble(code[:12]) == ["ldr x0, #0x10", "ldr x0, #0x18", "ldr x0, #0x18"]
    assert code[12:] == bytes(4) + (5).to_bytes(8, "little") + b"\xff" * 8
    assert assembler.buffer.code_size == 12


def test_the_two_registers_numbered_31_are_told_apart() -> None:
    assert (repr(SP), repr(XZR), int(SP), int(XZR)) == ("SP", "XZR", 31, 31)
    assert SP != XZR


REFUSED: dict[str, Emit] = {
    "SP where 31 means zero": lambda a: a.op(Op.ADD, X0, SP, X1),
    "XZR where 31 means SP": lambda a: a.add_imm(Op.ADD, X0, XZR, 1),
    "SP as a result with flags": lambda a: a.add_imm(Op.SUBS, SP, X0, 1),
    "XZR as a base": lambda a: a.load(X0, XZR, 0, 8, False),
    "SP stored": lambda a: a.store(X0, 0, SP, 8),
    "SP as an index": lambda a: a.load_indexed(X0, X1, SP, False, 8, False),
    "SP in a pair": lambda a: a.stp(SP, X0, X1, 0),
    "SP converted": lambda a: a.convert(Convert.FMOV_D_X, V0, SP),
    "13 bits to add": lambda a: a.add_imm(Op.ADD, X0, X0, 0x1001),
    "a negative number to add": lambda a: a.add_imm(Op.ADD, X0, X0, -1),
    "a logical operation as an addition": lambda a: a.add_imm(Op.AND, X0, X0, 1),
    "an addition as a logical operation": lambda a: a.logical_imm(Op.ADD, X0, X0, 1),
    "no logical immediate": lambda a: a.logical_imm(Op.AND, X0, X0, 5),
    "zero as a logical immediate": lambda a: a.logical_imm(Op.AND, X0, X0, 0),
    "a logical immediate over 32 bits": lambda a: a.logical_imm(Op.AND, X0, X0, 1 << 32, 4),
    "a 17-bit wide constant": lambda a: a.movz(X0, 0x10000),
    "a wide constant at bit 8": lambda a: a.movk(X0, 1, 8),
    "a shift by 64": lambda a: a.op(Op.ADD, X0, X0, X0, 64),
    "a shift of 32 bits by 32": lambda a: a.op(Op.ADD, X0, X0, X0, 32, 4),
    "an extension shifted by 5": lambda a: a.op_extended(Op.ADD, X0, X0, X0, 5),
    "an extended operation other than addition": lambda a: a.op_extended(Op.ADDS, X0, X0, X0),
    "a bit field past 63": lambda a: a.bitfield(False, X0, X0, 64, 0),
    "an offset past the scaled form": lambda a: a.load(X0, X1, 0x8000, 8, False),
    "an unaligned offset past the unscaled form": lambda a: a.store(X1, 257, X0, 8),
    "an offset before the unscaled form": lambda a: a.fload(V0, X1, -257, 8),
    "a load of 3 bytes": lambda a: a.load(X0, X1, 0, 3, False),
    "a float of 2 bytes": lambda a: a.fstore(X1, 0, V0, 2),
    "a pair past its range": lambda a: a.stp(X0, X1, SP, 512),
    "a pair unaligned": lambda a: a.ldp(X0, X1, SP, 4),
    "a pair loaded into one register": lambda a: a.ldp(X0, X0, SP, 0),
    "a pair whose base moves": lambda a: a.ldp_after(X0, X1, X0, 16),
    "five flags": lambda a: a.fccmp(Condition.VC, V0, V0, 16),
    "a break over 16 bits": lambda a: a.brk(0x10000),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_encoded_raises(refused: Emit) -> None:
    with pytest.raises(AssemblyError):
        refused(AArch64Assembler())
