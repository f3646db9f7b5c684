"""Memory that two processes have at the same address: a large reservation over an anonymous file.

The file is sparse, so that it can be mapped whole, once: it grows by being written to. It is sealed against getting
smaller, which would turn accesses of the other process into SIGBUS
(https://man7.org/linux/man-pages/man2/memfd_create.2.html, F_ADD_SEALS in fcntl(2)). It has no name, so nothing is left
of it when its last mapping and descriptor are gone.
"""

from __future__ import annotations

import fcntl
import os
import sys

from epsilon.foreign.backend import BackendUnavailableError, window

from .machine import INT, LONG, SIZE, WORD, c_function

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
READ, WRITE, EXECUTE = 1, 2, 4
_SHARED, _FIXED, _NORESERVE, _FIXED_NOREPLACE = 0x01, 0x10, 0x4000, 0x100000
_MADV_REMOVE = 9
_FAILED = (1 << 64) - 1

#: Where a reservation may begin: far from where Linux puts programs, heaps, stacks and libraries, so that both
#: processes have room at the same place. The second range is for kernels with 39 bits of addresses.
RANGES = ((0x1000_0000_0000, 0x5000_0000_0000), (0x10_0000_0000, 0x38_0000_0000))
ATTEMPTS = 16
_STEP = 1 << 30


class Region:
    """`size` bytes at `address` in this process, shared through the file `descriptor` (-1 once closed)."""

    def __init__(self, descriptor: int, size: int, address: int = 0) -> None:
        self.descriptor = descriptor
        self.size = size
        self.address = address or _reserve(descriptor, size)
        if address:
            map_at(address, size, descriptor)
        self.end = self.address + size

    @classmethod
    def make(cls, size: int) -> Region:
        """A new one. Raises BackendUnavailableError where the system does not allow it."""
        descriptor = anonymous_file(size)
        try:
            return cls(descriptor, size)
        except BaseException:
            os.close(descriptor)
            raise

    def holds(self, address: int, size: int = 1) -> bool:
        """Does it hold all of these bytes?"""
        return self.address <= address and address + size <= self.end

    def discard(self, address: int, size: int) -> None:
        """Give whole pages back to the system; they read as zeros afterwards, in both processes."""
        if c_function("madvise", INT, WORD, SIZE, INT)(address, size, _MADV_REMOVE):
            window.write_bytes(address, bytes(size))

    def close_file(self) -> None:
        """Close the descriptor; what is mapped stays."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def unmap(self) -> None:
        """Give up everything."""
        self.close_file()
        c_function("munmap", INT, WORD, SIZE)(self.address, self.size)

    def detach(self, used: list[tuple[int, int]]) -> None:
        """Go on with a copy of one's own of the pieces ``(address, size)`` in use: for a forked child."""
        descriptor = anonymous_file(self.size)
        for address, size in used:
            start = address - window.BASE
            piece = window.BYTES[start : start + size]
            offset = address - self.address
            while len(piece):
                written = os.pwrite(descriptor, piece, offset)
                piece, offset = piece[written:], offset + written
        map_at(self.address, self.size, descriptor, replace=True)
        self.close_file()
        self.descriptor = descriptor


def anonymous_file(size: int) -> int:
    """The descriptor of a sparse file that cannot shrink. Raises BackendUnavailableError."""
    if sys.platform != "linux":
        raise BackendUnavailableError(f"isolated calls need Linux, this is {sys.platform}")
    try:
        descriptor = os.memfd_create("epsilon-foreign-isolated", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, size)
        fcntl.fcntl(
            descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        )
    except OSError as error:
        raise BackendUnavailableError(f"no shared memory for isolated calls: {error}") from None
    return descriptor


def map_at(
    address: int, size: int, descriptor: int, *, replace: bool = False, protection: int = READ | WRITE
) -> None:
    """Map an open file from its beginning at an address. Raises BackendUnavailableError when it is taken."""
    flags = _SHARED | _NORESERVE | (_FIXED if replace else _FIXED_NOREPLACE)
    mmap = c_function("mmap", WORD, WORD, SIZE, INT, INT, INT, LONG, errno=True)
    found, errno = mmap(address, size, protection, flags, descriptor, 0)
    if found != address:
        if found not in (
            None,
            _FAILED,
        ):  # a kernel that does not know MAP_FIXED_NOREPLACE takes it for a hint
            c_function("munmap", INT, WORD, SIZE)(found, size)
        raise BackendUnavailableError(
            f"cannot map {size} bytes at {address:#x}: {os.strerror(errno) if errno else 'the place is taken'}"
        )


def _reserve(descriptor: int, size: int) -> int:
    """Map the file at some address that another process is likely to have free too."""
    last: BackendUnavailableError | None = None
    for low, high in RANGES:
        for _ in range(ATTEMPTS):
            address = low + int.from_bytes(os.urandom(8)) % ((high - low) // _STEP) * _STEP
            try:
                map_at(address, size, descriptor)
            except BackendUnavailableError as error:
                last = error
                continue
            return address
    raise BackendUnavailableError(f"no room for shared memory: {last}")
