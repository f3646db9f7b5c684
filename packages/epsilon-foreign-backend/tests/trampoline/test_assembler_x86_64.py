"""Every instruction form of the x86-64 assembler, read back by capstone and compared with GNU `as`.

A case is the method to call, its operands, and the text, in capstone's spelling of Intel syntax, that a
disassembler must show for it. The sweeps run over all registers, sizes and classes of offset, since the
special cases of the encoding hide there: RSP and R12 need a SIB byte as a base, RBP and R13 a displacement,
SPL to DIL and R8 to R15 a REX prefix.
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
from epsilon.foreign.backend.trampoline.assembler.x86_64 import (
    INT_REGISTERS,
    R12,
    R13,
    RAX,
    RBP,
    RCX,
    RDI,
    RSP,
    VECTOR_REGISTERS,
    XMM0,
    XMM9,
    Alu,
    Condition,
    Shift,
    Sse,
    X86_64Assembler,
)

X86 = X86_64Assembler
Emit = Callable[[X86], None]
Case = tuple[Callable[..., None], tuple[object, ...], str]
Cases = Callable[[], Iterator[Case]]

OFFSETS = (0, 1, -1, 8, 127, -128, 128, -129, 0x12345, 0x7FFFFFFF, -0x80000000)
CONSTANTS = (0, 1, -1, 9, 10, 127, -128, 128, -129, 0x12345678, -0x80000000)
LEGACY = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")
NAMES = {
    8: [f"r{name}" for name in LEGACY] + [f"r{number}" for number in range(8, 16)],
    4: [f"e{name}" for name in LEGACY] + [f"r{number}d" for number in range(8, 16)],
    2: list(LEGACY) + [f"r{number}w" for number in range(8, 16)],
    1: ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"] + [f"r{number}b" for number in range(8, 16)],
}
POINTERS = {8: "qword ptr", 4: "dword ptr", 2: "word ptr", 1: "byte ptr"}
VECTOR_MOVES = {16: ("movups", "xmmword ptr"), 8: ("movsd", POINTERS[8]), 4: ("movss", POINTERS[4])}
CONDITIONS = {condition: condition.name.lower() for condition in Condition}
INDEXES = tuple(register for register in INT_REGISTERS if register is not RSP)


def number(value: int) -> str:
    return hex(value) if value > 9 else str(value)


def constant(value: int, size: int) -> str:
    """An immediate as a number without sign, in the width of the operation."""
    return number(value % (1 << 8 * size))


def memory(base: int, offset: int, size: int | None = None) -> str:
    """`[base + offset]`, preceded by its size where it is a whole operand rather than an address."""
    sign = "+" if offset > 0 else "-"
    tail = f" {sign} {number(abs(offset))}" if offset else ""
    return (f"{POINTERS[size]} " if size else "") + f"[{NAMES[8][base]}{tail}]"


def indexed(base: int, index: int, scale: int, size: int) -> str:
    times = f"*{scale}" if scale > 1 else ""
    return f"{POINTERS[size]} [{NAMES[8][base]} + {NAMES[8][index]}{times}]"


LOAD_TEXTS = {  # (size, signed) -> mnemonic, size of the destination named
    (8, False): ("mov", 8),
    (8, True): ("mov", 8),
    (4, False): ("mov", 4),
    (4, True): ("movsxd", 8),
    (2, False): ("movzx", 4),
    (2, True): ("movsx", 8),
    (1, False): ("movzx", 4),
    (1, True): ("movsx", 8),
}


def moves() -> Iterator[Case]:
    for d, s, size in product(INT_REGISTERS, INT_REGISTERS, (8, 4)):
        yield X86.mov, (d, s, size), f"mov {NAMES[size][d]}, {NAMES[size][s]}"
    for d in INT_REGISTERS:
        yield X86.push, (d,), f"push {NAMES[8][d]}"
        yield X86.pop, (d,), f"pop {NAMES[8][d]}"
    yield X86.mov_al, (8,), "mov al, 8"
    yield X86.mov_al, (255,), "mov al, 0xff"


def constants() -> Iterator[Case]:
    for d in INT_REGISTERS:
        for value in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            yield X86.mov_imm, (d, value), f"mov {NAMES[4][d]}, {number(value)}"
        for value in (-1, -0x80000000):
            yield X86.mov_imm, (d, value), f"mov {NAMES[8][d]}, {value % (1 << 64):#x}"
        for value in (1 << 32, (1 << 63) - 1, -(1 << 63), -0x80000001, 0xFEDCBA9876543210):
            yield X86.mov_imm, (d, value), f"movabs {NAMES[8][d]}, {value % (1 << 64):#x}"


def loads() -> Iterator[Case]:
    for d, base, form, offset in product(INT_REGISTERS, INT_REGISTERS, LOAD_TEXTS, OFFSETS):
        mnemonic, width = LOAD_TEXTS[form]
        yield (
            X86.load,
            (d, base, offset, *form),
            f"{mnemonic} {NAMES[width][d]}, {memory(base, offset, form[0])}",
        )


def stores() -> Iterator[Case]:
    for s, base, size, offset in product(INT_REGISTERS, INT_REGISTERS, POINTERS, OFFSETS):
        yield X86.store, (base, offset, s, size), f"mov {memory(base, offset, size)}, {NAMES[size][s]}"


def constant_stores() -> Iterator[Case]:
    for base, size, offset in product(INT_REGISTERS, POINTERS, OFFSETS):
        limit = 1 << 8 * min(size, 4) - 1
        for value in {0, 1, -1, limit - 1, -limit}:
            yield (
                X86.store_imm,
                (base, offset, value, size),
                f"mov {memory(base, offset, size)}, {constant(value, size)}",
            )


def indexed_moves() -> Iterator[Case]:
    for d, base, index, scale in product((RAX, RSP, RDI, R12), INT_REGISTERS, INDEXES, (1, 2, 4, 8)):
        for form, (mnemonic, width) in LOAD_TEXTS.items():
            yield (
                X86.load_indexed,
                (d, base, index, scale, *form),
                f"{mnemonic} {NAMES[width][d]}, {indexed(base, index, scale, form[0])}",
            )
        for size in POINTERS:
            yield (
                X86.store_indexed,
                (base, index, scale, d, size),
                f"mov {indexed(base, index, scale, size)}, {NAMES[size][d]}",
            )


def addresses() -> Iterator[Case]:
    for d, base, offset in product(INT_REGISTERS, INT_REGISTERS, OFFSETS):
        yield X86.lea, (d, base, offset), f"lea {NAMES[8][d]}, {memory(base, offset)}"


def extensions() -> Iterator[Case]:
    for d, s in product(INT_REGISTERS, INT_REGISTERS):
        for size, signed in ((1, False), (1, True), (2, False), (2, True), (4, True)):
            mnemonic, width = LOAD_TEXTS[size, signed]
            yield X86.extend, (d, s, size, signed), f"{mnemonic} {NAMES[width][d]}, {NAMES[size][s]}"


def arithmetic() -> Iterator[Case]:
    for d, s in product(INT_REGISTERS, INT_REGISTERS):
        for operation in Alu:
            yield X86.alu, (operation, d, s), f"{operation.name.lower()} {NAMES[8][d]}, {NAMES[8][s]}"
        yield X86.test, (d, s), f"test {NAMES[8][d]}, {NAMES[8][s]}"
        yield X86.imul, (d, s), f"imul {NAMES[8][d]}, {NAMES[8][s]}"
    for d in INT_REGISTERS:
        yield X86.neg, (d,), f"neg {NAMES[8][d]}"
        for shift, count in product(Shift, (1, 2, 9, 10, 63)):
            yield X86.shift, (shift, d, count), f"{shift.name.lower()} {NAMES[8][d]}, {number(count)}"


def constant_arithmetic() -> Iterator[Case]:
    for d, size, value in product(INT_REGISTERS, (8, 4), CONSTANTS):
        for operation in Alu:
            yield (
                X86.alu_imm,
                (operation, d, value, size),
                f"{operation.name.lower()} {NAMES[size][d]}, {constant(value, size)}",
            )
        yield X86.test_imm, (d, value, size), f"test {NAMES[size][d]}, {constant(value, size)}"
    for d, value in product(INT_REGISTERS, (0, 1, -1, 127, -128)):
        yield X86.test_imm, (d, value, 1), f"test {NAMES[1][d]}, {constant(value, 1)}"


def memory_arithmetic() -> Iterator[Case]:
    for d, base, offset in product(INT_REGISTERS, INT_REGISTERS, OFFSETS):
        for operation in Alu:
            yield (
                X86.alu_memory,
                (operation, d, base, offset),
                f"{operation.name.lower()} {NAMES[8][d]}, {memory(base, offset, 8)}",
            )
    for base, offset in product(INT_REGISTERS, OFFSETS):
        yield X86.inc_memory, (base, offset), f"inc {memory(base, offset, 8)}"


def conditional_moves() -> Iterator[Case]:
    for condition, name in CONDITIONS.items():
        for d, s in product(INT_REGISTERS, INT_REGISTERS):
            yield X86.cmov, (condition, d, s), f"cmov{name} {NAMES[8][d]}, {NAMES[8][s]}"
        for d in INT_REGISTERS:
            yield X86.setcc, (condition, d), f"set{name} {NAMES[1][d]}"


def vector_operations() -> Iterator[Case]:
    for d, s, operation in product(VECTOR_REGISTERS, VECTOR_REGISTERS, Sse):
        yield X86.sse, (operation, d, s), f"{operation.name.lower()} xmm{int(d)}, xmm{int(s)}"
    for v, r in product(VECTOR_REGISTERS, INT_REGISTERS):
        yield X86.cvtsi2sd, (v, r), f"cvtsi2sd xmm{int(v)}, {NAMES[8][r]}"
        yield X86.movq_from_int, (v, r), f"movq xmm{int(v)}, {NAMES[8][r]}"
        yield X86.movq_to_int, (r, v), f"movq {NAMES[8][r]}, xmm{int(v)}"
    for v, base, offset, size in product(VECTOR_REGISTERS, INT_REGISTERS, OFFSETS, VECTOR_MOVES):
        mnemonic, pointer = VECTOR_MOVES[size]
        place = f"{pointer} {memory(base, offset)}"
        yield X86.fload, (v, base, offset, size), f"{mnemonic} xmm{int(v)}, {place}"
        yield X86.fstore, (base, offset, v, size), f"{mnemonic} {place}, xmm{int(v)}"


def indirect_jumps() -> Iterator[Case]:
    for r in INT_REGISTERS:
        yield X86.call_register, (r,), f"call {NAMES[8][r]}"
        yield X86.jmp_register, (r,), f"jmp {NAMES[8][r]}"
    for base, offset in product(INT_REGISTERS, OFFSETS):
        yield X86.call_memory, (base, offset), f"call {memory(base, offset, 8)}"
        yield X86.jmp_memory, (base, offset), f"jmp {memory(base, offset, 8)}"


def lone_instructions() -> Iterator[Case]:
    yield X86.ret, (), "ret"
    yield X86.leave, (), "leave"
    yield X86.ud2, (), "ud2"
    yield X86.stc, (), "stc"


TABLES: tuple[Cases, ...] = (
    moves, constants, loads, stores, constant_stores, indexed_moves, addresses, extensions, arithmetic,
    constant_arithmetic, memory_arithmetic, conditional_moves, vector_operations, indirect_jumps,
    lone_instructions,
)  # fmt: skip
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)


def emit(table: Cases) -> tuple[bytes, list[str]]:
    assembler = X86_64Assembler()
    texts = []
    for method, operands, text in table():
        method(assembler, *operands)
        texts.append(text)
    return assembler.buffer.finish(), texts


def disassemble(code: bytes) -> list[str]:
    capstone = pytest.importorskip("capstone", reason="capstone, a disassembler, is not installed")
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    return [
        unsigned(f"{mnemonic} {operands}".rstrip())
        for _, _, mnemonic, operands in engine.disasm_lite(code, 0)
    ]


def unsigned(text: str) -> str:
    """Takes away the sign that capstone gives to immediates of some instructions and not of others."""
    immediate = re.fullmatch(r"(\w+ (\w+), )(-\w+)", text)
    if immediate is None:
        return text
    start, register, value = immediate.groups()
    return start + constant(int(value, 0), next(size for size, names in NAMES.items() if register in names))


def gnu_assemble(texts: list[str], folder: Path) -> bytes:
    for tool in ("as", "objcopy"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} (GNU binutils) is not on PATH")
    source, unlinked, flat = folder / "code.s", folder / "code.o", folder / "code.bin"
    source.write_text("\n".join([".intel_syntax noprefix", *texts, ""]))
    made = subprocess.run(["as", "--64", "-o", unlinked, source], capture_output=True, text=True)
    if "unrecognized option" in made.stderr:
        pytest.skip("`as` on PATH is not for x86-64")
    assert made.returncode == 0, made.stderr[:2000]
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", unlinked, flat], check=True)
    return flat.read_bytes()


@each_table
def test_a_disassembler_reads_back_what_was_meant(table: Cases) -> None:
    code, texts = emit(table)
    assert disassemble(code) == texts


@each_table
def test_gnu_as_writes_the_same_bytes(table: Cases, tmp_path: Path) -> None:
    code, texts = emit(table)
    assert code == gnu_assemble(texts, tmp_path)


def after(distance: int, emit_jump: Callable[[X86_64Assembler, Label], None]) -> list[str]:
    """A jump to a label `distance` bytes from its own start, back if negative, disassembled alone."""
    assembler, label = X86_64Assembler(), Label()
    if distance <= 0:
        assembler.buffer.bind(label)
        assembler.code.extend(b"\x90" * -distance)
        start = len(assembler.code)
        emit_jump(assembler, label)
    else:
        start = 0
        emit_jump(assembler, label)
        assembler.code.extend(b"\x90" * (distance - len(assembler.code)))
        assembler.buffer.bind(label)
    return [text for text in disassemble(assembler.buffer.finish()[start:]) if text != "nop"]


@pytest.mark.parametrize("condition", Condition, ids=lambda condition: condition.name)
@pytest.mark.parametrize("distance", (6, 10, 200, 40000))
def test_a_conditional_jump_goes_forward_to_its_label(condition: Condition, distance: int) -> None:
    assert after(distance, lambda a, label: a.jcc(condition, label)) == [
        f"j{CONDITIONS[condition]} {number(distance)}"
    ]


@pytest.mark.parametrize(("distance", "size"), ((0, 2), (-1, 2), (-126, 2), (-127, 5), (-40000, 5)))
def test_a_jump_backward_is_short_where_it_can_be(distance: int, size: int) -> None:
    assembler, label = X86_64Assembler(), Label()
    assembler.buffer.bind(label)
    assembler.code.extend(b"\x90" * -distance)
    assembler.jmp(label)
    assert len(assembler.code) + distance == size
    assert after(distance, lambda a, label: a.jmp(label)) == [f"jmp {constant(distance, 8)}"]


@pytest.mark.parametrize("distance", (0, -100, -40000))
def test_a_conditional_jump_goes_backward_to_its_label(distance: int) -> None:
    assert after(distance, lambda a, label: a.jcc(Condition.NE, label)) == [f"jne {constant(distance, 8)}"]


@pytest.mark.parametrize("distance", (5, 300))
def test_a_jump_and_a_call_go_forward_to_their_label(distance: int) -> None:
    assert after(distance, lambda a, label: a.jmp(label)) == [f"jmp {number(distance)}"]
    assert after(distance, lambda a, label: a.call(label)) == [f"call {number(distance)}"]


def test_a_jump_over_bytes_counts_from_its_own_end() -> None:
    assembler = X86_64Assembler()
    assembler.jcc_over(Condition.NP, 4)
    assert disassemble(bytes(assembler.code)) == ["jnp 6"]


@pytest.mark.parametrize("d", INT_REGISTERS, ids=repr)
def test_instructions_on_the_literal_pool_find_their_constant(d: IntRegister) -> None:
    assembler = X86_64Assembler()
    label = assembler.buffer.literal(0x1122334455667788)
    assembler.load_label(d, label)
    assembler.alu_label(Alu.CMP, d, label)
    assembler.test_label(d, label)
    assembler.call_through(label)
    assembler.jmp_through(label)
    code = assembler.buffer.finish()
    name, place = NAMES[8][d], "qword ptr [rip + {:#x}]"
    # 7 + 7 + 7 + 6 + 6 = 33 bytes of code; the constant is at 40.
    assert disassemble(code[:33]) == [
        f"mov {name}, {place.format(33)}",
        f"cmp {name}, {place.format(26)}",
        f"test {place.format(19)}, {name}",
        f"call {place.format(13)}",
        "jmp qword ptr [rip + 7]",
    ]
    assert code[33:] == b"\xcc" * 7 + bytes.fromhex("8877665544332211")


def test_the_literal_pool_holds_each_constant_once() -> None:
    assembler = X86_64Assembler()
    for value in (5, -1, (1 << 64) - 1, 5):
        assembler.load_label(RAX, assembler.buffer.literal(value))
    code = assembler.buffer.finish()
    assert code[32:] == (5).to_bytes(8, "little") + b"\xff" * 8
    assert assembler.buffer.code_size == 28
    assert assembler.buffer.finish() == code


def test_a_register_shows_its_name_and_equals_only_itself() -> None:
    assert (repr(RAX), str(XMM9), int(R12)) == ("RAX", "XMM9", 12)
    assert RAX == RAX and RAX != XMM0 and RAX != 0
    assert len({RAX, XMM0}) == 2
    with pytest.raises(AttributeError, match="RAX cannot be changed"):
        RAX.name = "EAX"


REFUSED: dict[str, Emit] = {
    "an offset over 32 bits": lambda a: a.load(RAX, RCX, 1 << 31, 8, False),
    "an offset under 32 bits": lambda a: a.store(RCX, -(1 << 31) - 1, RAX, 8),
    "a load of 3 bytes": lambda a: a.load(RAX, RCX, 0, 3, False),
    "a store of 16 bytes": lambda a: a.store(RCX, 0, RAX, 16),
    "RSP as an index": lambda a: a.load_indexed(RAX, RCX, RSP, 1, 8, False),
    "a scale of 3": lambda a: a.store_indexed(RCX, RAX, 3, RAX, 8),
    "a constant over 64 bits": lambda a: a.mov_imm(RAX, 1 << 64),
    "a constant under 64 bits": lambda a: a.mov_imm(RAX, -(1 << 63) - 1),
    "a stored constant over 32 bits": lambda a: a.store_imm(RBP, 0, 1 << 31, 8),
    "a stored byte over 8 bits": lambda a: a.store_imm(R13, 0, 128, 1),
    "an operand over 32 bits": lambda a: a.alu_imm(Alu.ADD, RCX, 1 << 31),
    "an operand of RAX over 32 bits": lambda a: a.alu_imm(Alu.ADD, RAX, -(1 << 31) - 1),
    "a test of 2 bytes": lambda a: a.test_imm(RCX, 1, 2),
    "a test byte over 8 bits": lambda a: a.test_imm(RCX, 128, 1),
    "a shift by 64": lambda a: a.shift(Shift.SHL, RAX, 64),
    "a shift by -1": lambda a: a.shift(Shift.SAR, RAX, -1),
    "AL over 8 bits": lambda a: a.mov_al(256),
    "a plain move as an extension": lambda a: a.extend(RAX, RCX, 4, False),
    "a float of 2 bytes": lambda a: a.fload(XMM0, RCX, 0, 2),
    "a literal over 64 bits": lambda a: a.load_label(RAX, a.buffer.literal(1 << 64)),
    "a jump over too much": lambda a: a.jcc_over(Condition.E, 128),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_encoded_raises(refused: Emit) -> None:
    with pytest.raises(AssemblyError):
        refused(X86_64Assembler())


def test_a_label_never_bound_raises_at_the_end() -> None:
    assembler = X86_64Assembler()
    assembler.jmp(Label())
    with pytest.raises(AssemblyError, match="never bound"):
        assembler.buffer.finish()


def test_a_label_bound_twice_raises() -> None:
    assembler, label = X86_64Assembler(), Label()
    assembler.buffer.bind(label)
    with pytest.raises(AssemblyError, match="already bound"):
        assembler.buffer.bind(label)
