"""Namespaces: copies of libraries beside those that are loaded already, each with variables of its own (dlmopen(3))."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Any, Self, cast

from epsilon.foreign.api import LifetimeError, get_backend, use_backend
from epsilon.foreign.backend import Backend

from ..errors import PlatformError
from ..search.find import Name
from .dlfcn import LM_ID_NEWLM, dlmopen, namespace_of
from .guarded import Gate, NamespaceLibrary, check_local

#: The GNU C library allows this many, the ordinary one included (DL_NNS).
LIMIT = 16
#: What holds a namespace while none of its libraries is open.
_ANCHOR = "libc.so.6"


class NamespaceError(PlatformError, OSError):
    """A namespace cannot be had, most often because there are as many as the C library allows."""


class Namespace:
    """An open namespace; see `namespace`."""

    def __init__(self, *, guarded: bool = True) -> None:
        self._guarded = guarded
        check_local()
        self._backend = get_backend("ctypes")  # the loader is one for all backends of this process
        self._libraries: list[NamespaceLibrary] = []
        self._lock = threading.RLock()
        self._anchor = _open_anchor()
        self.number = namespace_of(self._anchor)
        self._errno = self._backend.dlsym(self._anchor, "__errno_location")

    @property
    def closed(self) -> bool:
        """Has it been closed?"""
        return not self._anchor

    def library(self, name: Name, *, flags: int | None = None) -> NamespaceLibrary:
        """Open a library in this namespace, together with what it needs: all of them are copies of their own.

        `name` and `flags` are those of `Library`; ``os.RTLD_GLOBAL`` is not allowed here. A library that is opened
        twice in one namespace is one copy. Raises LibraryError, LifetimeError once the namespace is closed.
        """
        with self._lock:
            if self.closed:
                raise LifetimeError(f"{self!r} is closed")
            check_local()
            with use_backend(cast(Backend, _InNamespace(self._backend, self.number))):
                opened = NamespaceLibrary(name, flags=flags)
            opened.enter(Gate() if self._guarded else None, self._errno, self._backend)
            self._libraries.append(opened)
            return opened

    def close(self) -> None:
        """Close its libraries and give it up; their functions and variables raise from now on. Twice does nothing.

        Raises NamespaceInUseError while a function of one of them runs (on another thread, or around the callback that
        calls this), or memory of a variable is exported. That library stays open, and the namespace with it: close it
        again later.
        """
        with self._lock:
            if self.closed:
                return
            while self._libraries:
                self._libraries[-1].close()
                self._libraries.pop()
            anchor, self._anchor = self._anchor, 0
            self._backend.dlclose(anchor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.closed:
            return "<namespace closed>"
        names = ", ".join(str(library.name) for library in self._libraries)
        return f"<namespace {self.number} with {names or 'nothing'}>"


def namespace(*, guarded: bool = True) -> Namespace:
    """A new namespace of the dynamic loader, closed at the end of its ``with`` block.

    ``space.library(path)`` opens a copy of a library and of all that it needs, the C library included, whose variables
    are not those of any other copy. What one C library allocated, opened or was told (memory, ``FILE *``, the locale)
    means nothing to another. errno is the copy's own: a `check` of a function sees that one.

    Calls are counted, so that `close` can refuse while one runs; `guarded=False` leaves that out, and the calls at
    their ordinary speed. Raises UnsupportedPlatformError where the C library has no dlmopen, and where calls are to
    run in another process (`isolated`), which has no copies; and NamespaceError when there are as many namespaces as
    it allows: 16, and often fewer, since each copy of the C library needs some of the room that was set aside for
    thread-local variables when the process began (``GLIBC_TUNABLES=glibc.rtld.nns=16`` in its environment sets aside
    more). That room is given back where the namespace that was opened last is closed first.
    """
    return Namespace(guarded=guarded)


def _open_anchor() -> int:
    try:
        return dlmopen(LM_ID_NEWLM, _ANCHOR, os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:
        raise NamespaceError(
            f"no further namespace: {error}; the C library allows {LIMIT} in all, and fewer where the room for "
            "thread-local variables is used up (GLIBC_TUNABLES=glibc.rtld.nns sets aside more)"
        ) from None


class _InNamespace:
    """A backend whose libraries are opened in a namespace; everything else is another backend's."""

    def __init__(self, backend: Backend, number: int) -> None:
        self._backend = backend
        self._number = number

    def dlopen(self, name: str | None, flags: int | None = None) -> int:
        """See `Backend.dlopen`."""
        if name is None:
            raise OSError("the process itself is in the ordinary namespace")
        flags = os.RTLD_NOW | os.RTLD_LOCAL if flags is None else flags | os.RTLD_NOW
        return dlmopen(self._number, name, flags)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)
