"""The system calls on memory, declared as C has them: https://man7.org/linux/man-pages/dir_section_2.html

Addresses are integers here: these functions are for pages that nobody may touch yet, or any more.
"""

from __future__ import annotations

import errno
import os

from epsilon.foreign.api import c

from ..clib import Hints, libc, nonnegative, zero


def memory_limit() -> str:
    """Why memory could not be locked, as far as the process's own limit says."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft == resource.RLIM_INFINITY:
        return "RLIMIT_MEMLOCK is no limit here, so part of the range is not mapped"
    return f"RLIMIT_MEMLOCK allows {soft} bytes of locked memory (ulimit -l); CAP_IPC_LOCK lifts it"


_MAP_HINTS: Hints = {
    errno.EACCES: "the descriptor was not opened for what is asked, or no memory here may be executed",
    errno.EAGAIN: memory_limit,
    errno.ENODEV: "this kind of file cannot be mapped",
    errno.EPERM: "the file is sealed against it, or the file system is mounted without execution",
}
_LOCK_HINTS: Hints = {
    errno.ENOMEM: memory_limit,
    errno.EAGAIN: memory_limit,
    errno.EPERM: "RLIMIT_MEMLOCK is 0, and the process lacks CAP_IPC_LOCK",
}


# The result is an address or MAP_FAILED, (void *)-1: as a signed number the only negative one, since user space is
# the lower half of the address space.
@libc.function(check=nonnegative(_MAP_HINTS))
def mmap(
    address: c.uintptr_t,
    size: c.size_t,
    protection: c.int,
    flags: c.int,
    descriptor: c.int,
    offset: c.long,
) -> c.intptr_t: ...


@libc.function(check=zero({}))
def munmap(address: c.uintptr_t, size: c.size_t) -> c.int: ...


@libc.function(
    check=zero({errno.EACCES: "the file behind the pages was not opened for writing, or is sealed"})
)
def mprotect(address: c.uintptr_t, size: c.size_t, protection: c.int) -> c.int: ...


@libc.function(check=zero({errno.EINVAL: "this kernel does not know the advice, or cannot follow it here"}))
def madvise(address: c.uintptr_t, size: c.size_t, advice: c.int) -> c.int: ...


@libc.function(check=zero({}))
def msync(address: c.uintptr_t, size: c.size_t, flags: c.int) -> c.int: ...


@libc.function(check=zero(_LOCK_HINTS))
def mlock(address: c.uintptr_t, size: c.size_t) -> c.int: ...


@libc.function(check=zero(_LOCK_HINTS))
def mlock2(address: c.uintptr_t, size: c.size_t, flags: c.uint) -> c.int: ...


@libc.function(check=zero({}))
def munlock(address: c.uintptr_t, size: c.size_t) -> c.int: ...


@libc.function
def prctl(option: c.int, what: c.ulong, address: c.ulong, size: c.ulong, text: c.bytes) -> c.int: ...


#: ``MLOCK_ONFAULT`` of mlock2(2), ``MS_SYNC`` of msync(2).
MLOCK_ONFAULT = 1
MS_SYNC = 4
_PR_SET_VMA, _PR_SET_VMA_ANON_NAME = 0x53564D41, 0


def name_pages(address: int, size: int, name: str) -> None:
    """Let /proc/self/maps show anonymous pages as ``[anon:name]``, where the kernel can (Linux 5.17, if built so)."""
    if os.name == "posix":
        prctl(_PR_SET_VMA, _PR_SET_VMA_ANON_NAME, address, size, name.encode())
