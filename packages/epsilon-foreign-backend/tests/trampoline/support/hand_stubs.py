"""A few stubs written by hand, so that memory and records are tested without the code generator."""

from __future__ import annotations

import os

import pytest
from epsilon.foreign.backend.trampoline import cpython
from epsilon.foreign.backend.trampoline.record import RECORD

MACHINE = os.uname().machine


def _word(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _arm(*words: int) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in words)


def _unknown() -> bytes:
    pytest.skip(f"no hand-written stubs for {MACHINE}")


def constant(value: int) -> bytes:
    """``int f(void)`` that returns `value`, 0 to 65535."""
    if MACHINE == "x86_64":
        return b"\xb8" + value.to_bytes(4, "little") + b"\xc3"  # mov eax, value; ret
    if MACHINE == "aarch64":
        return _arm(0xD2800000 | value << 5, 0xD65F03C0)  # mov x0, value; ret
    return _unknown()


def forward(offset: int = RECORD.fallback) -> bytes:
    """Tail call of ``PyObject_Vectorcall(the object at self + offset, args, nargs, kwnames)``."""
    vectorcall = _word(cpython.address("PyObject_Vectorcall"))
    if MACHINE == "x86_64":  # mov rdi, [rdi+offset]; movabs rax, vectorcall; jmp rax
        return b"\x48\x8b\xbf" + offset.to_bytes(4, "little") + b"\x48\xb8" + vectorcall + b"\xff\xe0"
    if MACHINE == "aarch64":  # ldr x0, [x0, offset]; ldr x16, literal; br x16; nop
        return _arm(0xF9400000 | (offset // 8) << 10, 0x58000070, 0xD61F0200, 0xD503201F) + vectorcall
    return _unknown()


def call_target() -> bytes:
    """``PyLong_FromLong(target())``, the target being the record's."""
    box = _word(cpython.address("PyLong_FromLong"))
    if MACHINE == "x86_64":  # push rbp; call [rdi+target]; pop rbp; mov rdi, rax; movabs rax, box; jmp rax
        call = b"\x55\xff\x97" + RECORD.target.to_bytes(4, "little")
        return call + b"\x5d\x48\x89\xc7\x48\xb8" + box + b"\xff\xe0"
    if MACHINE == "aarch64":
        # stp x29, x30, [sp, -16]!; ldr x16, [x0, target]; blr x16; ldp x29, x30, [sp], 16;
        # ldr x16, literal; br x16
        load = 0xF9400010 | (RECORD.target // 8) << 10
        return _arm(0xA9BF7BFD, load, 0xD63F0200, 0xA8C17BFD, 0x58000050, 0xD61F0200) + box
    return _unknown()
