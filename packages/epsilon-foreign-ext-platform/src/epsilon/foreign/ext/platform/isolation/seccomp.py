"""Filters of system calls, assembled here and installed in this process: seccomp(2).

https://man7.org/linux/man-pages/man2/seccomp.2.html; the machine that runs them is that of
https://www.kernel.org/doc/Documentation/networking/filter.txt. A filter can be added but never removed; of what
several filters say of a call, the strictest counts. Only ctypes is used: this runs in processes that have nothing else.
"""

from __future__ import annotations

import ctypes
import enum
import os
import struct
from collections.abc import Iterable
from typing import NamedTuple

from . import syscalls

#: What becomes of a call (include/uapi/linux/seccomp.h), strictest first. TRAP is SIGSYS, at the call.
KILL_PROCESS = 0x8000_0000
TRAP = 0x0003_0000
ALLOW = 0x7FFF_0000


def refuse(code: int) -> int:
    """SECCOMP_RET_ERRNO: the call is not made and fails with this errno."""
    return 0x0005_0000 | (code & 0xFFFF)


def trace(data: int = 0) -> int:
    """SECCOMP_RET_TRACE: a tracer is asked, which reads `data` by PTRACE_GETEVENTMSG; without one, ENOSYS."""
    return 0x7FF0_0000 | (data & 0xFFFF)


class Test(enum.Enum):
    """What may be asked of 32 bits of an argument."""

    EQUAL = "=="
    DIFFERENT = "!="
    ANY_BIT = "&"
    NO_BIT = "!&"


class Condition(NamedTuple):
    """A rule's condition: argument number (0 to 5), what is asked, of which value; `high`: of the upper 32 bits."""

    argument: int
    test: Test
    value: int
    high: bool = False


class Rule(NamedTuple):
    """What becomes of the system call `number`, when the condition holds. The first rule that applies counts."""

    number: int
    action: int
    condition: Condition | None = None


#: AUDIT_ARCH_… (include/uapi/linux/audit.h): the same number means another call under another one.
ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
#: Calls of the x32 ABI have this bit in their number, and the architecture of x86-64.
_X32 = 0x4000_0000

# struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6] (both machines are little-endian).
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
# Operations (include/uapi/linux/bpf_common.h): load a word; jump if equal, not below, any bit; return.
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_MOST = 4096


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """struct sock_filter: an operation, how many instructions to skip if so and if not, and its number."""
    return struct.pack("=HBBI", code, then, otherwise, value & 0xFFFF_FFFF)


def assemble(rules: Iterable[Rule], default: int = ALLOW, architecture: str | None = None) -> bytes:
    """The filter's program. Calls of another architecture than the process's own are trapped.

    Raises ValueError for more rules than a filter can hold, KeyError for an architecture that is not in the table.
    """
    architecture = syscalls.machine() if architecture is None else architecture
    code = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, ARCHITECTURES[architecture], 1, 0),
        _instruction(_RETURN, TRAP),
        _instruction(_LOAD, _NUMBER),
    ]
    if architecture == "x86_64":
        code += [_instruction(_JUMP_ABOVE, _X32, 0, 1), _instruction(_RETURN, TRAP)]
    for rule in rules:
        code += _rule(rule)
    code.append(_instruction(_RETURN, default))
    if len(code) > _MOST:
        raise ValueError(f"{len(code)} instructions: a filter has {_MOST} at most")
    return b"".join(code)


def _rule(rule: Rule) -> list[bytes]:
    """Expects the number of the call in the register, and leaves it there."""
    verdict = _instruction(_RETURN, rule.action)
    condition = rule.condition
    if condition is None:
        return [_instruction(_JUMP_EQUAL, rule.number, 0, 1), verdict]
    where = _ARGUMENTS + 8 * condition.argument + (4 if condition.high else 0)
    code = _JUMP_EQUAL if condition.test in (Test.EQUAL, Test.DIFFERENT) else _JUMP_ANY
    holds = condition.test in (Test.EQUAL, Test.ANY_BIT)
    return [
        _instruction(_JUMP_EQUAL, rule.number, 0, 4),
        _instruction(_LOAD, where),
        _instruction(code, condition.value, 0 if holds else 1, 1 if holds else 0),
        verdict,
        _instruction(_LOAD, _NUMBER),
    ]


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER, _FLAG_TSYNC = 38, 1, 1


def available() -> bool:
    """Can filters be made for this machine?"""
    return syscalls.machine() in ARCHITECTURES


def install(rules: Iterable[Rule], default: int = ALLOW) -> None:
    """Put a filter on every thread of this process, and on all it will start; it can never be taken off.

    Privileges can no longer be gained by execve(2), which the kernel wants of those who filter. Raises OSError when the
    kernel refuses, NotImplementedError where `available` is false.
    """
    if not available():
        raise NotImplementedError("system calls can be filtered on Linux, x86-64 and AArch64, only")
    code = ctypes.create_string_buffer(assemble(rules, default))
    program = _Program((len(code) - 1) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    word = ctypes.c_ulong
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, word(1), word(0), word(0), word(0)):
        _fail("prctl(PR_SET_NO_NEW_PRIVS)")
    number = syscalls.number("seccomp")
    failed = libc.syscall(word(number or 0), word(_SET_MODE_FILTER), word(_FLAG_TSYNC), ctypes.byref(program))
    if failed > 0:
        raise OSError(f"seccomp(): thread {failed} has a filter of its own that cannot be joined")
    if failed:
        _fail("seccomp()")


def _fail(what: str) -> None:
    code = ctypes.get_errno()
    raise OSError(code, f"{what}: {os.strerror(code)}")
