"""Which file a library's name leads to."""

from __future__ import annotations

import os
from typing import Any, Literal

from epsilon.foreign import runtime
from epsilon.foreign.api import ForeignError, Library, Out, Pointer, c, shared_call, struct


@struct
class LinkMap:
    """The public beginning of ``struct link_map`` (https://man7.org/linux/man-pages/man3/dlinfo.3.html)."""

    addr: c.size_t
    name: c.bytes


_RTLD_DI_LINKMAP = 2


def file_of(library: runtime.Library) -> str | None:
    """The path of an open library's file; None for the process itself, and where the loader cannot be asked."""
    if library.name is None:
        return None
    found = library.path or library.name
    return found if os.path.dirname(found) else _loaded_path(library)


def library_path(name: str | os.PathLike[str]) -> str:
    """The path of the file that `Library` opens for a name: a path as it is, anything else as the loader finds it.

    Raises LibraryError with everything that was tried.
    """
    text = os.fspath(name)
    if os.path.exists(text) and os.path.dirname(text):
        return text
    library = Library(text)
    return file_of(library) or library.path or text


def _loaded_path(library: runtime.Library) -> str | None:
    """Where the loader has a library from; None where it cannot be asked."""
    parameters: list[Any] = [c.pointer, c.int, Out[Pointer[LinkMap, Literal[1]]]]
    try:
        code, found = shared_call("dlinfo", c.int, parameters, library.handle, _RTLD_DI_LINKMAP)
    except ForeignError:  # a system without dlinfo
        return None
    return (os.fsdecode(found[0].name or b"") or None) if code == 0 and found else None
