"""Libraries of a namespace: functions that are counted while they run, and the errno of another C library."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

from epsilon.foreign.api import Check, ClosedLibraryError, FunctionData, Library, describe
from epsilon.foreign.backend import Backend
from epsilon.foreign.runtime import Declaration, select_backend

from ..errors import PlatformError, UnsupportedPlatformError


class NamespaceInUseError(PlatformError, RuntimeError):
    """A namespace was to be closed while one of its functions runs, or memory of one of its variables is exported."""


class Gate:
    """Counts those inside, and lets nobody in once it is shut.

    A list serves as the counter: appending and popping are atomic, with the interpreter's lock or without.
    """

    def __init__(self) -> None:
        self.inside: list[None] = []
        self.is_shut = False

    def shut(self, name: str) -> None:
        """Shut it. Raises NamespaceInUseError, and stays open, while somebody is inside."""
        self.is_shut = True  # first: whoever enters after this sees it, whoever entered before is seen
        if running := len(self.inside):
            self.is_shut = False
            calls = "a call of its functions is" if running == 1 else f"{running} calls of its functions are"
            raise NamespaceInUseError(f"{name} is in use: {calls} running")

    def open(self) -> None:
        """Let people in again."""
        self.is_shut = False


def check_local() -> None:
    """Raise UnsupportedPlatformError where foreign calls would run in another process: copies are of this one."""
    if getattr(select_backend(), "remote", None) is not None:
        raise UnsupportedPlatformError("a namespace is of this process, and calls here run in another one")


class GuardedFunction:
    """A foreign function that its namespace is not closed under; `__wrapped__` is the function itself."""

    __slots__ = ("__dict__", "__weakref__", "_gate", "_prepare")

    def __init__(self, function: Callable[..., Any], gate: Gate, prepare: Callable[[], None] | None) -> None:
        functools.update_wrapper(self, function, updated=())
        self._gate = gate
        self._prepare = prepare

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inside = self._gate.inside
        inside.append(None)
        try:
            if self._gate.is_shut:
                raise ClosedLibraryError(f"{self.__name__}() was called, but its library is closed")
            if self._prepare is not None:
                self._prepare()
            return self.__wrapped__(*args, **kwargs)
        finally:
            inside.pop()

    __name__: str
    __wrapped__: Callable[..., Any]

    def __foreign_function__(self) -> FunctionData:
        """For `describe`."""
        return describe(self.__wrapped__)

    def __repr__(self) -> str:
        return f"<{self.__name__} in a namespace>"


class NamespaceLibrary(Library):
    """A library in a namespace; see `Library`. It cannot be closed while one of its functions runs."""

    gate: Gate | None = None
    _errno: Errno

    def enter(self, gate: Gate | None, errno_location: int, backend: Backend) -> None:
        """Tell a new library what it has besides an ordinary one."""
        self.gate = gate
        self._errno = Errno(errno_location)
        self._backend = backend

    def bind_declaration(self, symbol: str, declaration: Declaration) -> Callable[..., Any]:
        """See `Library.bind_declaration`."""
        check_local()
        checks = declaration.check is not None
        if declaration.check is not None:
            declaration = declaration._replace(check=self._errno.seen_by(declaration.check))
        function = super().bind_declaration(symbol, declaration)
        if self.gate is None:
            return function
        return GuardedFunction(function, self.gate, self._errno.clear if checks else None)

    def close(self) -> None:
        """See `Library.close`. Raises NamespaceInUseError while a function runs or a variable's memory is exported."""
        if self.closed:
            return
        if self.gate is not None:
            self.gate.shut(repr(self))
        try:
            super().close()
        except BaseException as error:
            if self.gate is not None:
                self.gate.open()
            if isinstance(error, BufferError):
                raise NamespaceInUseError(f"{self!r} is in use: {error}") from None
            raise


class Errno:
    """The errno of another C library than Python's: each has one a thread, at an address that it tells."""

    def __init__(self, location: int) -> None:
        self._location: Callable[[], Any] = ctypes.PYFUNCTYPE(ctypes.POINTER(ctypes.c_int))(location)

    def clear(self) -> None:
        """Set it to 0."""
        self._location()[0] = 0

    def take(self) -> int:
        """Its value, which is 0 from now on."""
        pointer = self._location()
        value, pointer[0] = pointer[0], 0
        return int(value)

    def seen_by(self, check: Check) -> Check:
        """A check that is given this errno in place of Python's, whose guard it keeps."""

        def seen(result: Any, errno: int, function: str) -> Any:
            return check(result, self.take(), function)

        if (guard := getattr(check, "guard", None)) is not None:
            seen.guard = guard  # type: ignore[attr-defined]  # functions take attributes
        return seen
