"""A system call filter for the running process: no memory may become executable any more.

seccomp(2), https://man7.org/linux/man-pages/man2/seccomp.2.html, by prctl(2) and a classic BPF program.
Policies like this one are what hardened services run under (systemd's MemoryDenyWriteExecute=, for one). It
cannot be taken back, so run it in a process of its own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PROT_EXEC = 4
#: Numbers of mmap and mprotect by machine.
_CALLS = {"x86_64": (9, 10), "aarch64": (222, 226)}
#: Offsets in ``struct seccomp_data``: the call's number, and the low half of its third argument.
_NUMBER, _THIRD = 0, 16 + 8 * 2


def forbid_executable_memory() -> None:
    """Let every mmap and mprotect with PROT_EXEC fail with EPERM. Raises OSError where that cannot be had."""
    mmap, mprotect = _CALLS[os.uname().machine]
    program = [
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 1, 0, mmap),
        (_EQUAL, 0, 3, mprotect),
        (_LOAD, 0, 0, _THIRD),
        (_ANY_BIT, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *row) for row in program))
    header = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    word = ctypes.c_ulong
    for option, first, second in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0),
        (_PR_SET_SECCOMP, _FILTER, ctypes.addressof(header)),
    ):
        if libc.prctl(option, word(first), word(second), word(0), word(0)):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
