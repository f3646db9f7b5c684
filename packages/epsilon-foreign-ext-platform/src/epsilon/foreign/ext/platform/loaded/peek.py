"""Reading this process's own memory where it may have gone away: an error instead of a crash.

Through /proc/self/mem (proc(5)), or process_vm_readv(2) where that cannot be opened.
"""

from __future__ import annotations

import ctypes
import os
from typing import Self

#: The size of a page, or a divisor of it: what is readable at all is readable to the end of its page.
_PAGE = 4096
#: No name that the loader has is longer; bytes.
_LONGEST = 8192


class UnreadableError(Exception):
    """There is no memory at an address, or not as much as was asked for."""


class OwnMemory:
    """A context manager that reads this process's memory."""

    def __init__(self) -> None:
        try:
            # Opened anew each time: after a fork it would still be the parent's.
            self._descriptor = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._descriptor = -1

    def read(self, address: int, size: int) -> bytes:
        """That many bytes. Raises UnreadableError."""
        if size <= 0:
            return b""
        try:
            if self._descriptor >= 0:
                data = os.pread(self._descriptor, size, address)
            else:
                data = _process_vm_readv(address, size)
        except (OSError, OverflowError):
            raise UnreadableError(f"no memory at {address:#x}") from None
        if len(data) != size:
            raise UnreadableError(f"{len(data)} readable bytes of {size} at {address:#x}")
        return data

    def string(self, address: int) -> str:
        """The characters up to a NUL, as file names are decoded. Raises UnreadableError."""
        parts: list[bytes] = []
        at = address
        while at - address < _LONGEST:
            part = self.read(at, min(256, _PAGE - at % _PAGE))
            head, nul, _ = part.partition(b"\0")
            parts.append(head)
            if nul:
                return b"".join(parts).decode("utf-8", "surrogateescape")
            at += len(part)
        raise UnreadableError(f"no string at {address:#x}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


class _IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _process_vm_readv(address: int, size: int) -> bytes:
    library = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(size)
    local, remote = _IoVec(ctypes.addressof(buffer), size), _IoVec(address, size)
    call = library.process_vm_readv
    call.restype = ctypes.c_ssize_t
    vector = (ctypes.c_void_p, ctypes.c_ulong)
    call.argtypes = [ctypes.c_int, *vector, *vector, ctypes.c_ulong]
    done = call(os.getpid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return buffer.raw[:done]
