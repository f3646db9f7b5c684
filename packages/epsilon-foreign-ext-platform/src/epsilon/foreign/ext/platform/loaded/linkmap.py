"""The dynamic loader's own list of what it has loaded, as debuggers read it (``<link.h>``; "Rendezvous" in gdb).

dl_iterate_phdr(3) would call back under a lock of the loader's. Where the function called is Python's, the thread may
have to wait for the interpreter there, while the thread that has the interpreter waits in dlopen for that lock, and
neither goes on. So the list is read without a lock, through `OwnMemory`, which survives memory that has gone away, and
read anew where it was being changed. It also has the namespaces that dl_iterate_phdr does not show.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import time
from typing import NamedTuple

from ..errors import PlatformError, UnsupportedPlatformError
from .peek import OwnMemory, UnreadableError

#: struct r_debug: version, first map, breakpoint, state, address of the loader.
_DEBUG = struct.Struct("@iPPiP")
#: struct r_debug_extended goes on with the next namespace's, from version 2 on.
_NEXT = struct.Struct("@P")
#: struct link_map: bias, name, dynamic section, next, previous.
_MAP = struct.Struct("@PPPPP")
_CONSISTENT = 0
#: How often a list that is being changed is read again, and how long to wait in between, in seconds.
TRIES, PAUSE = 500, 0.0002
#: How often it is read in the hope that nobody is changing it.
PATIENCE = 5
#: More objects than anyone loads: a list that does not end.
MOST = 1 << 20
#: The limit of namespaces is 16 everywhere.
_MOST_NAMESPACES = 256


class LinkMap(NamedTuple):
    """An object that the loader knows: what it adds to the file's addresses, its name, its dynamic section."""

    bias: int
    name: str
    dynamic: int
    namespace: int


def _rendezvous() -> int:
    """The address of the loader's struct r_debug."""
    if sys.platform in ("win32", "darwin"):
        raise UnsupportedPlatformError(f"what is loaded can be listed on ELF systems, not on {sys.platform}")
    process = ctypes.CDLL(None)
    try:
        return ctypes.addressof(ctypes.c_byte.in_dll(process, "_r_debug"))  # the GNU C library
    except ValueError:
        pass
    try:
        return int(ctypes.c_void_p.in_dll(process, "_dl_debug_addr").value or 0)  # musl
    except ValueError:
        raise UnsupportedPlatformError("this C library does not say what is loaded") from None


def link_maps(memory: OwnMemory) -> list[LinkMap]:
    """All loaded objects in the order of loading, namespace by namespace.

    Raises UnsupportedPlatformError where the C library does not show them, PlatformError when the list never holds
    still.
    """
    address = _rendezvous()
    for attempt in range(TRIES):
        found: list[LinkMap] = []
        try:
            settled = _read(memory, address, found)
        except UnreadableError:
            settled = None
        # Where other threads load libraries all the time, a list whose links agree must do.
        if settled or (settled is False and attempt >= PATIENCE):
            return found
        time.sleep(PAUSE)
    raise PlatformError("the list of loaded objects was being changed all the time")


def _read(memory: OwnMemory, address: int, found: list[LinkMap]) -> bool | None:
    """Append the list: True where nobody was changing it, False where somebody was, None where it makes no sense."""
    settled = True
    for namespace in range(_MOST_NAMESPACES):
        before = version, first, _, state, _ = _DEBUG.unpack(memory.read(address, _DEBUG.size))
        if not _read_namespace(memory, first, namespace, found):
            return None
        settled &= state == _CONSISTENT and before == _DEBUG.unpack(memory.read(address, _DEBUG.size))
        following = _NEXT.unpack(memory.read(address + _DEBUG.size, _NEXT.size))[0] if version >= 2 else 0
        if not following:
            break
        address = following
    return settled


def _read_namespace(memory: OwnMemory, at: int, namespace: int, found: list[LinkMap]) -> bool:
    """Append the objects of one list; False when a link does not lead back to where it came from."""
    before = 0
    while at:
        bias, name, dynamic, following, previous = _MAP.unpack(memory.read(at, _MAP.size))
        if previous != before or len(found) > MOST:
            return False
        found.append(LinkMap(bias, memory.string(name) if name else "", dynamic, namespace))
        before, at = at, following
    return True
