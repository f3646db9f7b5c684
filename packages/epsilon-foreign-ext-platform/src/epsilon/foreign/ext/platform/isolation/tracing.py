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

#: Machine -> the places of program counter, stack pointer, return address, a system call's number, its result and its
#: first argument in its user_regs_struct, in words. On AArch64 the result takes the first argument's place.
_REGISTERS = {"x86_64": (16, 19, None, 15, 10, 14), "aarch64": (32, 31, 30, 8, 0, 0)}


class Registers(NamedTuple):
    """The registers that say where a thread is, and what a system call has come to."""

    pc: int
    sp: int
    lr: int | None
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
    places = _REGISTERS.get(os.uname().machine)
    if places is None:
        raise OSError(errno.ENOSYS, f"the registers of {os.uname().machine} are not known")
    block = (ctypes.c_uint64 * 64)()
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(block), ctypes.sizeof(block))
    _ptrace(_GETREGSET, thread, _NT_PRSTATUS, ctypes.addressof(vector))
    words = tuple(block)[: vector[1] // 8]
    pc, sp, lr, *call = places
    return Registers(
        words[pc], words[sp], None if lr is None else words[lr], *(words[place or 0] for place in call)
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
