"""Listings of machine code: instructions, names of what they call, constants, and a hex dump without
capstone."""

from __future__ import annotations

import sys

import pytest
from epsilon.foreign.backend.trampoline import cpython
from epsilon.foreign.backend.trampoline.disassembly import disassemble_code

BASE = 0x10000
NAMED = 0x7F0011223344
SYMBOLS = {NAMED: "PyLong_FromLong"}
LITERAL = NAMED.to_bytes(8, "little")


@pytest.fixture
def capstone() -> None:
    pytest.importorskip("capstone", reason="listings of instructions need capstone")


def test_x86_64_calls_through_the_pool_are_named(capstone: None) -> None:
    # push rbp; call [rip+9]; ret; pool
    code = b"\x55\xff\x15\x01\x00\x00\x00".ljust(8, b"\xc3") + LITERAL + (7).to_bytes(8, "little")
    assert disassemble_code(code, BASE, SYMBOLS, code_size=8, machine="x86_64").splitlines() == [
        "0x10000  55                    push     rbp",
        f"0x10001  ff1501000000          call     qword ptr [rip + 1]  ; {NAMED:#x} <PyLong_FromLong>",
        "0x10007  c3                    ret",
        f"0x10008  .quad {NAMED:#x} <PyLong_FromLong>",
        "0x10010  .quad 0x7",
    ]


def test_x86_64_immediate_addresses_are_named(capstone: None) -> None:
    code = b"\x48\xb8" + LITERAL + b"\xff\xe0"
    first, second = disassemble_code(code, BASE, SYMBOLS, machine="x86_64").splitlines()
    assert first.endswith("; PyLong_FromLong")
    assert second.endswith("jmp      rax")


def test_aarch64_loads_from_the_pool_are_named(capstone: None) -> None:
    words = (0x58000050, 0xD61F0200)  # ldr x16, literal; br x16
    code = b"".join(word.to_bytes(4, "little") for word in words) + LITERAL
    first, second, third = disassemble_code(code, BASE, SYMBOLS, code_size=8, machine="aarch64").splitlines()
    assert first.endswith(f"ldr      x16, #0x10008  ; {NAMED:#x} <PyLong_FromLong>")
    assert second.endswith("br       x16")
    assert third == f"0x10008  .quad {NAMED:#x} <PyLong_FromLong>"


def test_bytes_that_are_no_instruction_do_not_end_the_listing(capstone: None) -> None:
    listing = disassemble_code(b"\x06\x90", BASE, machine="x86_64").splitlines()
    assert [line.split()[2] for line in listing] == [".byte", "nop"]


def test_padding_before_the_pool_is_not_listed_as_a_constant(capstone: None) -> None:
    code = b"\xc3" + bytes(7) + LITERAL
    listing = disassemble_code(code, BASE, SYMBOLS, code_size=1, machine="x86_64").splitlines()
    assert len(listing) == 2


def test_the_names_of_this_interpreter_serve(capstone: None) -> None:
    code = b"\x48\xb8" + cpython.address("PyFloat_FromDouble").to_bytes(8, "little")
    assert "; PyFloat_FromDouble" in disassemble_code(code, BASE, cpython.names(), machine="x86_64")


def test_without_capstone_there_is_a_hex_dump_and_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    code = bytes(range(20)).ljust(24, b"\0") + LITERAL
    assert disassemble_code(code, BASE, SYMBOLS, code_size=20, machine="x86_64").splitlines() == [
        "; install capstone to see instructions: pip install capstone",
        "0x10000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
        "0x10010  10 11 12 13",
        f"0x10018  .quad {NAMED:#x} <PyLong_FromLong>",
    ]


def test_another_processor_is_dumped(capstone: None) -> None:
    assert "0x10000  c3" in disassemble_code(b"\xc3", BASE, machine="riscv64")
