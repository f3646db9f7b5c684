"""Runs what a `Machine` writes, on the processor at hand: one helper for every instruction set.

A test writes a small function, places it in executable memory and calls it through ctypes. Only pytest and
the standard library are needed, so that it also works on an emulated processor. Importing this skips the
importing test file on a processor without a `Machine`.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from epsilon.foreign.backend.trampoline.machine import Machine
from epsilon.foreign.backend.trampoline.machine_aarch64 import AArch64Machine
from epsilon.foreign.backend.trampoline.machine_x86_64 import X86_64Machine

MACHINES: dict[str, Callable[[], Machine]] = {"x86_64": X86_64Machine, "aarch64": AArch64Machine}
PROCESSOR = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
if os.name != "posix" or PROCESSOR not in MACHINES:
    pytest.skip(f"no code for {os.name} on {PROCESSOR} can be run", allow_module_level=True)

new_machine = MACHINES[PROCESSOR]
M = new_machine()
"""Read for its registers only."""
A0, A1, A2, A3 = M.ENTRY
POOL = list(dict.fromkeys((M.RESULT, *M.ENTRY, *M.SCRATCH[-2:], *M.SAVED[:2], M.SAVED[-1])))
"""Registers to try as operands: of every role, with low and with high numbers."""
VECTORS = (M.FRESULT, M.FRESULT2, M.FSCRATCH[0], M.FSCRATCH[-1])
VALUES = (
    0,
    1,
    -1,
    2,
    0x7F,
    -0x80,
    0xFFFF,
    0x12345678,
    -0x80000000,
    0x123456789ABCDEF0,
    (1 << 63) - 1,
    -(1 << 63),
)
NEAR_AND_FAR = (0, 8, 1, -8, -256, 255, 257, 0x7FF8, 0x8000, 0x12345, -0x12345)

Emit = Callable[[Machine], object]
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


@contextmanager
def placed(code: bytes, at: int = 0) -> Iterator[int]:
    """The address of `code` in fresh executable memory, `at` bytes into it.

    The kernel brings instruction and data caches together when a page first becomes executable.
    """
    size = -(-(at + len(code)) // mmap.PAGESIZE) * mmap.PAGESIZE
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        pages[at : at + len(code)] = code
        first = ctypes.c_char.from_buffer(pages)
        address = ctypes.addressof(first)
        if libc.mprotect(address, size, mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError(ctypes.get_errno(), "mprotect")
        yield address + at
        del first


def function(address: int, *arguments: float, result: type = ctypes.c_int64) -> Any:
    """Calls the function at `address`; an integer argument is its low 64 bits, a float a double."""
    types = [ctypes.c_double if isinstance(argument, float) else ctypes.c_int64 for argument in arguments]
    return ctypes.CFUNCTYPE(result, *types)(address)(*arguments)


def run(emit: Emit, *arguments: float, result: type = ctypes.c_int64) -> Any:
    """Writes a function with `emit`, between an entry that saves all registers and a return; calls it."""
    machine = new_machine()
    machine.prologue(64, M.SAVED)
    emit(machine)
    machine.epilogue()
    machine.ret()
    with placed(machine.finish()) as address:
        return function(address, *arguments, result=result)


def steps(*calls: tuple[Any, ...]) -> Emit:
    """An emitter from (operation, operands...) rows."""

    def emit(machine: Machine) -> None:
        for name, *operands in calls:
            getattr(machine, name)(*operands)

    return emit


def wrapped(value: int, size: int = 8, signed: bool = True) -> int:
    return int.from_bytes((value % (1 << 8 * size)).to_bytes(size, "little"), "little", signed=signed)
