"""Anonymous memory from the kernel, as plain addresses: map, change protection, unmap.

The `mmap` module would do for data, but its objects unmap themselves at interpreter shutdown, when code that
lies there may still be called. So this goes to the C library: mmap(2), mprotect(2), madvise(2),
memfd_create(2) (https://man7.org/linux/man-pages/dir_section_2.html). No call here ever asks for a page that
is writable and executable at once.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

from ..errors import BackendUnavailableError

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
"""Bytes in a page."""

NONE = 0
READ = 1
WRITE = 2
EXECUTE = 4
_SHARED = 0x01
_PRIVATE = 0x02
_ANONYMOUS = 0x20
_MADV_DONTFORK = 10
_MFD_CLOEXEC = 0x1
# Linux 6.3 asks for the choice to be made; older kernels refuse the flag.
_MFD_EXEC = 0x10
_FAILED = ctypes.c_void_p(-1).value


class ExecutableMemoryError(BackendUnavailableError):
    """The operating system gives no executable memory; the message holds its reason."""


def _libc() -> Any:
    if sys.platform != "linux" or sys.maxsize < 2**32:
        raise ExecutableMemoryError(f"no executable memory: not supported on {_platform()} yet")
    library: Any = ctypes.CDLL(None, use_errno=True)
    word, size, flag = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    library.mmap.argtypes = (word, size, flag, flag, flag, ctypes.c_int64)
    library.mmap.restype = word
    library.munmap.argtypes = (word, size)
    library.mprotect.argtypes = (word, size, flag)
    library.madvise.argtypes = (word, size, flag)
    return library


def _platform() -> str:
    return {"win32": "Windows", "darwin": "macOS"}.get(sys.platform, f"{sys.platform}, 32 bits")


_library: Any = None


def libc() -> Any:
    """The C library with its memory calls declared. Raises `ExecutableMemoryError` off 64-bit Linux."""
    global _library
    if _library is None:
        _library = _libc()
    return _library


def round_to_pages(size: int) -> int:
    """`size` bytes, rounded up to whole pages, at least one."""
    return max(-(-size // PAGE), 1) * PAGE


def map_private(size: int) -> int:
    """The address of `size` bytes of fresh memory, readable and writable. Raises `ExecutableMemoryError`."""
    return _map(size, READ | WRITE, _PRIVATE | _ANONYMOUS, -1)


def map_shared(size: int, protection: int, descriptor: int) -> int:
    """The address of the first `size` bytes of an open file. Raises `ExecutableMemoryError`."""
    return _map(size, protection, _SHARED, descriptor)


def _map(size: int, protection: int, flags: int, descriptor: int) -> int:
    address = libc().mmap(None, size, protection, flags, descriptor, 0)
    if address == _FAILED or address is None:
        raise _refused(f"mmap of {size} bytes {_rights(protection)}")
    return int(address)


def protect(address: int, size: int, protection: int) -> None:
    """Set what may be done with whole pages. Raises `ExecutableMemoryError`."""
    if libc().mprotect(address, size, protection):
        raise _refused(f"mprotect {_rights(protection)}")


def unmap(address: int, size: int) -> None:
    """Give pages back."""
    libc().munmap(address, size)


def leave_out_of_forks(address: int, size: int) -> None:
    """Let a forked child have nothing at these pages. Raises `ExecutableMemoryError`."""
    if libc().madvise(address, size, _MADV_DONTFORK):
        raise _refused("madvise(MADV_DONTFORK)")


def anonymous_file(size: int) -> int:
    """The descriptor of a file of `size` bytes that lives in memory. Raises `ExecutableMemoryError`."""
    if not hasattr(os, "memfd_create"):
        raise ExecutableMemoryError("no executable memory: this Python was built without memfd_create")
    try:
        try:
            descriptor = os.memfd_create("epsilon-foreign-code", _MFD_CLOEXEC | _MFD_EXEC)
        except OSError:
            descriptor = os.memfd_create("epsilon-foreign-code", _MFD_CLOEXEC)
    except OSError as error:
        raise ExecutableMemoryError(f"no executable memory: memfd_create: {error.strerror}") from None
    try:
        os.ftruncate(descriptor, size)
    except OSError as error:
        os.close(descriptor)
        raise ExecutableMemoryError(f"no executable memory: ftruncate: {error.strerror}") from None
    return descriptor


def _rights(protection: int) -> str:
    return "".join(c if protection & bit else "-" for c, bit in (("r", READ), ("w", WRITE), ("x", EXECUTE)))


def _refused(what: str) -> ExecutableMemoryError:
    return ExecutableMemoryError(f"no executable memory: {what}: {os.strerror(ctypes.get_errno())}")
