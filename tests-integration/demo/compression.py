"""zlib: a real file compressed, checked and restored, compared with Python's own zlib module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
from report import agree, number, word

TITLE = "a file compressed by zlib"
LIBRARY = "z"
LEVEL = 9
Z_OK = 0


class ZlibError(Exception):
    """zlib returned another code than Z_OK."""


def check_ok(code: int, errno: int, function: str) -> int:
    """A check for functions that return Z_OK or an error code (https://zlib.net/manual.html)."""
    if code != Z_OK:
        raise ZlibError(f"{function}() returned {code}")
    return code


def run(library: ffi.Library) -> Iterator[str]:
    """Compress a module of the standard library, compare its checksum with Python's, and restore it."""
    path = _largest_module()
    data = path.read_bytes()

    @library.function
    def zlibVersion() -> c.string: ...

    @library.function(name="crc32")
    def checksum(start: c.ulong, data: c.buffer, size: c.uint) -> c.ulong: ...

    yield f"zlib {zlibVersion()}: {path.name}, {len(data):,} bytes"
    packed = _compress(library, data)
    agree("the restored file", _restore(library, packed, len(data)), data)
    crc = checksum(0, data, len(data))
    share = len(packed) / len(data)
    yield f"compressed to {len(packed):,} bytes ({share:.1%}) and restored; crc32 {crc:#010x}"
    try:
        import zlib
    except ImportError:
        yield "this Python was built without its zlib module: nothing to compare with"
        return
    agree("crc32", crc, zlib.crc32(data))
    agree("the file as Python restores it", zlib.decompress(packed), data)
    yield "Python's own zlib gives the same checksum, and restores the file from these bytes"


def _compress(library: ffi.Library, data: bytes) -> bytes:
    bound = library.bind("compressBound", c.ulong, [c.ulong])(len(data))
    out = bytearray(bound)
    size = word(bound, c.ulong.size)
    compress2 = library.bind(
        "compress2", c.int, [c.mutable_buffer, c.mutable_buffer, c.buffer, c.ulong, c.int], check=check_ok
    )
    compress2(out, size, data, len(data), LEVEL)
    return bytes(out[: number(size)])


def _restore(library: ffi.Library, packed: bytes, length: int) -> bytes:
    out = bytearray(length)
    size = word(length, c.ulong.size)
    uncompress = library.bind(
        "uncompress", c.int, [c.mutable_buffer, c.mutable_buffer, c.buffer, c.ulong], check=check_ok
    )
    uncompress(out, size, packed, len(packed))
    return bytes(out[: number(size)])


def _largest_module() -> Path:
    """The longest Python source in the standard library's top folder."""
    return max(Path(os.__file__).parent.glob("*.py"), key=lambda path: path.stat().st_size)
