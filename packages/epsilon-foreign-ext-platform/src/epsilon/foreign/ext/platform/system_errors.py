"""What the system said of the last foreign call that failed: a number, with its name and meaning.

Python's own work between the call and the question changes errno: it allocates memory, takes locks, opens files. So a
function whose error is wanted is declared with ``check=keep_error``: errno is then read directly after the call,
before anything else can change it, and kept in the context that called (PEP 567): a thread's or an asyncio task's own.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextvars import ContextVar
from threading import get_ident
from typing import Any, NamedTuple, overload

from epsilon.foreign.api import Check, ForeignOSError
from epsilon.foreign.backend import Guard
from epsilon.foreign.runtime import os_error

from . import windows_errors
from .errors import UnsupportedPlatformError

__all__ = ["ErrorCode", "keep_error", "last_error"]


class ErrorCode(NamedTuple):
    """A number by which the system says what went wrong; 0 for nothing.

    `kind` is ``errno`` or ``windows``: what GetLastError gives there. `function` is whose call left it, if known.
    """

    code: int
    kind: str = "errno"
    function: str | None = None

    @property
    def name(self) -> str:
        """The constant's name in C: ``ENOENT``, ``ERROR_FILE_NOT_FOUND``; the number where it has none."""
        if not self.code:
            return "SUCCESS"
        if self.kind == "windows":
            return windows_errors.name_of(self.code) or str(self.code)
        return errno.errorcode.get(self.code, str(self.code))

    @property
    def message(self) -> str:
        """The system's words for it: ``No such file or directory``."""
        if self.kind == "windows":
            return windows_errors.message_of(self.code)
        return os.strerror(self.code)

    @property
    def errno(self) -> int:
        """The errno that it is, or that Windows' code amounts to; 0 for one that amounts to none."""
        return windows_errors.errno_of(self.code) if self.kind == "windows" else self.code

    @property
    def exception_class(self) -> type[OSError]:
        """The subclass of OSError that Python has for it: `FileNotFoundError` for ENOENT."""
        return type(OSError(self.errno, "")) if self.errno else OSError

    def exception(self, function: str | None = None) -> ForeignOSError:
        """An exception to be raised for it: a `ForeignOSError` that is also of `exception_class`.

        `function` is what its message names, by default the function that left the code.
        """
        name = function or self.function or "foreign function"
        made = os_error(self.errno, name)
        if self.kind == "windows":
            return type(made)(self.errno, f"{name}(): {self.message} ({self.name})")
        return made

    def __bool__(self) -> bool:
        """Did something go wrong?"""
        return self.code != 0

    def __str__(self) -> str:
        """``ENOENT (2): No such file or directory, left by open()``."""
        whose = f", left by {self.function}()" if self.function else ""
        return f"{self.name} ({self.code}): {self.message}{whose}"


#: The thread as well, since a thread may begin with a copy of another's context.
_kept: ContextVar[tuple[int, ErrorCode] | None] = ContextVar("epsilon_foreign_last_error", default=None)
_NOTHING = ErrorCode(0)


def last_error(kind: str = "errno") -> ErrorCode:
    """What the last function that is declared with `keep_error` left, here: ``ErrorCode(0)`` for no error.

    Each thread and each asyncio task has its own, and nothing that Python does changes it; the next such call does.
    `kind` ``"windows"`` asks for GetLastError's instead. Raises UnsupportedPlatformError for that: the call has not
    been proven on Windows, and no other system has it.
    """
    if kind != "errno":
        raise UnsupportedPlatformError(f"there is no {kind!r} error here: only errno is kept")
    kept = _kept.get()
    return kept[1] if kept is not None and kept[0] == get_ident() else _NOTHING


@overload
def keep_error(result: Check, /) -> Check: ...


@overload
def keep_error(result: Any, errno: int, function: str, /) -> Any: ...


def keep_error(result: Any, /, *call: Any) -> Any:
    """A check that keeps what a call left in errno for `last_error`, and raises nothing: ``check=keep_error``.

    ``check=keep_error(check_zero)`` keeps it, and then the other check decides.
    """
    if call:
        code, function = call
        _kept.set((get_ident(), ErrorCode(code, "errno", function)))
        return result
    check: Callable[..., Any] = result
    is_for = _GUARDS[getattr(check, "guard", Guard.ALWAYS)]

    def keep(result: Any, errno: int, function: str) -> Any:
        _kept.set((get_ident(), ErrorCode(errno, "errno", function)))
        return check(result, errno, function) if is_for(result) else result

    return keep


#: Which results a check with a guard is for: this one sees them all.
_GUARDS: dict[Guard, Callable[[Any], bool]] = {
    Guard.ALWAYS: lambda result: True,
    Guard.NEGATIVE: lambda result: result < 0,
    Guard.NONZERO: bool,
    Guard.ZERO: lambda result: not result,
}
