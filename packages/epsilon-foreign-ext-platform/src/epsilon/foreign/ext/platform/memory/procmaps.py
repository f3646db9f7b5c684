"""What is mapped, as the kernel tells: https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from epsilon.foreign.api import addressof

from ..errors import UnsupportedPlatformError
from .protection import Protection

_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ([-r][-w][-x][ps]) ([0-9a-f]+) \S+ (\d+) *(.*)")
_DETAIL = re.compile(r"(\w+):\s+(.*)")
_LETTERS = dict(zip("rwx", (Protection.READ, Protection.WRITE, Protection.EXECUTE), strict=True))


class MemoryMapping(NamedTuple):
    """A range of pages with one backing and the same rights (a "VMA").

    The numbers from `resident` on are in bytes, and None unless they were asked for (``details=True``).
    """

    start: int
    stop: int
    protection: Protection
    shared: bool
    offset: int
    """Bytes into the file."""
    inode: int
    path: str
    """The file, or a name in brackets (``[heap]``, ``[anon:…]``), or empty."""
    resident: int | None = None
    """In RAM now."""
    locked: int | None = None
    """Of what is locked, this process's part: pages shared with others count in part."""
    huge: int | None = None
    """In transparent huge pages."""
    page_size: int | None = None
    """The kernel's page for it."""
    flags: frozenset[str] = frozenset()
    """Two letters each, such as ``lo`` locked, ``dd`` not dumped, ``wf`` wiped on fork, ``dc`` not in a child."""

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self.stop - self.start


_COUNTS = {"Rss": "resident", "Locked": "locked", "AnonHugePages": "huge", "KernelPageSize": "page_size"}


def mappings(pid: int | None = None, *, details: bool = False) -> list[MemoryMapping]:
    """All mappings of this process, or of another one, by address; `details` takes the kernel longer.

    Raises OSError for a process that is gone or not one's own, UnsupportedPlatformError where there is no /proc.
    """
    if sys.platform != "linux":
        raise UnsupportedPlatformError(
            f"mappings are read from Linux' /proc/PID/maps; this is {sys.platform}"
        )
    name = f"/proc/{'self' if pid is None else pid}/{'smaps' if details else 'maps'}"
    with open(name, encoding="utf-8", errors="surrogateescape") as file:
        return list(parse(file))


def parse(lines: Any) -> Iterator[MemoryMapping]:
    """The mappings in the lines of a ``maps`` or ``smaps`` file. Lines that are neither are passed over."""
    made: MemoryMapping | None = None
    for line in lines:
        head = _HEAD.match(line)
        if head:
            if made is not None:
                yield made
            start, stop, letters, offset, inode, path = head.groups()
            protection = Protection.NONE
            for letter in letters[:3]:
                protection |= _LETTERS.get(letter, Protection.NONE)
            made = MemoryMapping(
                int(start, 16),
                int(stop, 16),
                protection,
                letters[3] == "s",
                int(offset, 16),
                int(inode),
                path,
            )
        elif made is not None and (detail := _DETAIL.match(line)):
            made = _with_detail(made, *detail.groups())
    if made is not None:
        yield made


def _with_detail(made: MemoryMapping, key: str, value: str) -> MemoryMapping:
    if key == "VmFlags":
        return made._replace(flags=frozenset(value.split()))
    counts: dict[str, Any] = {_COUNTS[key]: int(value.split()[0]) * 1024} if key in _COUNTS else {}
    return made._replace(**counts)


def mapping_at(where: Any, *, details: bool = True) -> MemoryMapping | None:
    """The mapping that an address, a pointer, an array, a struct or a region is in; None where nothing is mapped."""
    if not isinstance(where, int):
        own = getattr(where, "address", None)
        where = own if isinstance(own, int) else addressof(where)
    return next((found for found in mappings(details=details) if found.start <= where < found.stop), None)


__all__ = ["MemoryMapping", "mapping_at", "mappings", "parse"]
