"""ptrace(2): how the keeper sees what happens to the child, and what is left of it afterwards.

https://man7.org/linux/man-pages/man2/ptrace.2.html. The tracer needs nothing of the child to be intact: not its stack,
not its memory, no handler of signals; it sees a fault before anything in the child does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import NamedTuple

from .machine import LONG, WORD, c_function

CONT, SYSCALL = 7, 24
_GETEVENTMSG, _GETSIGINFO, _GETREGSET = 0x4201, 0x4202, 0x4204
_SEIZE, _INTERRUPT, _LISTEN = 0x4206, 0x4207, 0x4208
_NT_PRSTATUS = 1
_TRACESYSGOOD, _TRACECLONE, _TRACEEXIT, _TRACESECCOMP, _EXITKILL = 0x1, 0x8, 0x40, 0x80, 0x100000
OPTIONS = _TRACESYSGOOD | _TRACECLONE | _TRACEEXIT | _TRACESECCOMP | _EXITKILL
#: What a stop is, in the third byte of its status.
EVENT_CLONE, EVENT_EXIT, EVENT_SECCOMP, EVENT_STOP = 3, 6, 7, 128
#: waitpid(2): threads that were cloned too.
WALL = 0x40000000


class _Layout(NamedTuple):
    """Where things are in a machine's user_regs_struct, in words; `registers` by DWARF number."""

    counter: int
    stack: int
    link: int | None
    call: int
    result: int
    argument: int
    registers: dict[int, int]


#: DWARF numbers as the processor supplements of the ABI give them: the program counter is 16 on x86-64; on AArch64,
#: which has none, it takes the one after the stack pointer's. A system call's result takes the first argument's place
#: there.
_LAYOUTS = {
    "x86_64": _Layout(
        16,
        7,
        None,
        15,
        10,
        14,
        dict(enumerate((10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16))),
    ),
    "aarch64": _Layout(32, 31, 30, 8, 0, 0, {number: number for number in range(33)}),
}


class Registers(NamedTuple):
    """The registers of a thread by DWARF number, which numbers are the program counter, the stack pointer and the
    link register, and a system call's number, result and first argument."""

    values: dict[int, int]
    counter: int
    stack: int
    link: int | None
    call: int
    result: int
    argument: int


class SignalInfo(NamedTuple):
    """The part of `siginfo_t` that says what happened; `address` of a fault, `sender` of what a process sent."""

    signal: int
    code: int
    address: int
    sender: int
    syscall: int


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    """Raises OSError."""
    call = c_function("ptrace", LONG, LONG, LONG, WORD, WORD, errno=True)
    result, code = call(request, thread, address, data)
    if result < 0:
        raise OSError(code, f"ptrace: {os.strerror(code)}")


def seize(thread: int) -> None:
    """Begin to trace a process, and let it die with the tracer. Raises OSError where that is not allowed."""
    _ptrace(_SEIZE, thread, 0, OPTIONS)


def resume(thread: int, signal: int = 0, request: int = CONT) -> None:
    """Let a stopped thread go on, with a signal delivered. A thread that is gone meanwhile is none of our business."""
    try:
        _ptrace(request, thread, 0, signal)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def interrupt(thread: int) -> None:
    """Stop a thread, whatever it is doing. Raises OSError."""
    _ptrace(_INTERRUPT, thread)


def listen(thread: int) -> None:
    """Leave a thread stopped by a stop signal as it is."""
    resume(thread, 0, _LISTEN)


def message(thread: int) -> int:
    """What an event says: the new thread of a clone, the status of an exit. Raises OSError."""
    word = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, thread, 0, ctypes.addressof(word))
    return word.value


def signal_info(thread: int) -> SignalInfo:
    """What is known of the signal that a thread stopped for. Raises OSError."""
    block = (ctypes.c_char * 128)()
    _ptrace(_GETSIGINFO, thread, 0, ctypes.addressof(block))
    raw = bytes(block)
    number, _, code = struct.unpack_from("=iii", raw)
    address, syscall = struct.unpack_from("=Qi", raw, 16)
    return SignalInfo(number, code, address, address & 0xFFFFFFFF, syscall)


def registers(thread: int) -> Registers:
    """The registers of a stopped thread. Raises OSError, also for an unknown processor."""
    layout = _LAYOUTS.get(os.uname().machine)
    if layout is None:
        raise OSError(errno.ENOSYS, f"the registers of {os.uname().machine} are not known")
    block = (ctypes.c_uint64 * 64)()
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(block), ctypes.sizeof(block))
    _ptrace(_GETREGSET, thread, _NT_PRSTATUS, ctypes.addressof(vector))
    words = tuple(block)
    return Registers(
        {number: words[place] for number, place in layout.registers.items()},
        layout.counter,
        layout.stack,
        layout.link,
        words[layout.call],
        words[layout.result],
        words[layout.argument],
    )


def caught(process: int, signal: int) -> bool:
    """Has the process a handler for a signal, or does it ignore it? See proc_pid_status(5)."""
    masks = {}
    with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name in ("SigCgt", "SigIgn"):
                masks[name] = int(value, 16)
    return any(mask >> (signal - 1) & 1 for mask in masks.values())
