"""Bytes at offsets, from a file or from memory, with an error instead of fewer bytes than were asked for."""

from __future__ import annotations

import os
import stat
from typing import Protocol, Self

from .errors import ElfError


class Source(Protocol):
    """Where an ELF file's bytes come from; `size` is how many there are."""

    name: str
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Exactly those bytes. Raises ElfError where there are fewer."""
        ...

    def close(self) -> None:
        """Give up what it holds."""
        ...


def _refuse(source: Source, offset: int, size: int) -> ElfError:
    return ElfError(
        f"{source.name} is truncated: it ends at byte {source.size}, "
        f"and bytes {offset} to {offset + size} are referred to"
    )


#: What is read at least, in bytes: the tables of a library's dynamic section lie close to each other.
_READ_AHEAD = 32768


class FileSource:
    """A regular file. Raises OSError when it cannot be opened, and ElfError when it is no regular file."""

    __slots__ = ("_buffer", "_buffer_at", "_descriptor", "name", "size")

    def __init__(self, path: str) -> None:
        self.name = path
        # O_NONBLOCK: opening a FIFO must not wait for somebody to write into it.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        self._buffer, self._buffer_at = b"", 0
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise ElfError(f"{path} is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}")

    def read(self, offset: int, size: int) -> bytes:
        """See `Source`."""
        at = offset - self._buffer_at
        if at < 0 or size < 0 or at + size > len(self._buffer):
            if offset < 0 or size < 0 or offset + size > self.size:
                raise _refuse(self, offset, size)
            self._buffer, self._buffer_at, at = self._pread(max(size, _READ_AHEAD), offset), offset, 0
            if len(self._buffer) < size:  # truncated since it was opened
                self.size = offset + len(self._buffer)
                raise _refuse(self, offset, size)
        return self._buffer[at : at + size]

    def _pread(self, size: int, offset: int) -> bytes:
        """What there is of the bytes at an offset: one read gives at most 2 GB."""
        parts = []
        while size > 0 and (part := os.pread(self._descriptor, min(size, self.size), offset)):
            parts.append(part)
            size -= len(part)
            offset += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """See `Source`."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()


_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
}


class BytesSource:
    """Bytes that are there already."""

    __slots__ = ("_data", "name", "size")

    def __init__(self, data: bytes, name: str = "data") -> None:
        self._data = data
        self.name = name
        self.size = len(data)

    def read(self, offset: int, size: int) -> bytes:
        """See `Source`."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise _refuse(self, offset, size)
        return self._data[offset : offset + size]

    def close(self) -> None:
        """See `Source`."""
