"""C strings and bytes at addresses: reading them with a limit, and making them."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from epsilon.foreign.backend import ArgumentValueError, expected, remote_memory, remotes, window

from .creation import alloc, put_bytes
from .errors import BoundsError, NullPointerError
from .objects import PRESUMED, Data, check_live
from .types import TYPES, whole


def encoded(text: str | bytes) -> bytes:
    """A text as C holds it: UTF-8 (bytes as they are) and a NUL. Raises ArgumentTypeError,
    ArgumentValueError."""
    data = TYPES["string"].to_foreign(text)
    if data is None:
        raise expected("str or bytes", text)
    return bytes(data) + b"\0"


@contextmanager
def c_string(text: str | bytes) -> Iterator[Any]:
    """A C string for the length of a ``with`` block: a pointer to `char`, NUL included in its bounds.

    Raises ArgumentValueError for a NUL inside, ArgumentTypeError.
    """
    data = encoded(text)
    pointer = put_bytes(alloc(TYPES["char"], len(data)), data)
    try:
        yield pointer
    finally:
        pointer._owner.release()


def _extent(where: Any) -> tuple[int, int | None]:
    """The address, and the bytes that may be read there when that is known."""
    if isinstance(where, Data):
        check_live(where)
        address: int = where._address
        known = where._upper - address if where._upper and not where._flags & PRESUMED else None
    else:
        address, known = TYPES["pointer"].to_foreign(where), None
    if address < window.BASE:
        raise NullPointerError(
            f"there is no memory at {address:#x}" if address else "there is no memory at NULL"
        )
    if known is not None and known < 0:
        raise BoundsError(f"{type(where).__name__}: {address:#x} is beyond its memory")
    return address, known


def _size(size: Any) -> int | None:
    """A number of bytes that a caller gave."""
    if size is None:
        return None
    count = whole(size, "a number of bytes")
    if count < 0:
        raise ArgumentValueError(f"cannot read {count} bytes")
    return count


def bytes_at(where: Any, size: int | None = None) -> bytes:
    """A copy of `size` bytes at an address, a pointer, an array or a struct; where bounds are known, all by
    default.

    Raises BoundsError beyond known bounds, or without a size where none are known; NullPointerError,
    LifetimeError; ArgumentValueError for a negative size.
    """
    size = _size(size)
    address, known = _extent(where)
    if size is None:
        if known is None:
            raise BoundsError(f"the bounds of {address:#x} are not known: say how many bytes to read")
        size = known
    if known is not None and size > known:
        raise BoundsError(f"{size} bytes at {address:#x}: there are {known}")
    if remotes and known is None and (remote := remote_memory()) is not None:
        return remote.read(address, size)
    return window.read_bytes(address, size)


def string_at(where: Any, limit: int | None = None, encoding: str = "utf-8") -> str:
    """The text at an address, a pointer or an array up to its NUL, or up to `limit` bytes if that comes
    first.

    Known bounds are never left: BoundsError when there is no NUL within them and no `limit`. Without either,
    C's rule holds: there must be a NUL. Raises UnicodeDecodeError, NullPointerError, LifetimeError,
    ArgumentValueError for a negative limit.
    """
    limit = _size(limit)
    address, known = _extent(where)
    most = known if limit is None else limit if known is None else min(limit, known)
    if remotes and known is None and (remote := remote_memory()) is not None:
        return remote.read_string(address)[:most].decode(encoding)
    if most is None:
        return ctypes.string_at(address).decode(encoding)
    # memchr(3) reads no further than the NUL, so a limit beyond the mapped memory does no harm.
    end = _memchr(address, 0, min(most, sys.maxsize))
    if end is None and limit is None:
        raise BoundsError(f"no NUL within {most} bytes at {address:#x}")
    if end is None and most < limit:  # type: ignore[operator]  # a limit was given
        raise BoundsError(f"no NUL within the {most} bytes that there are at {address:#x}")
    return window.read_bytes(address, most if end is None else end - address).decode(encoding)


_memchr = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)(
    ("memchr", ctypes.CDLL(None if hasattr(ctypes.pythonapi, "memchr") else "msvcrt"))
)
