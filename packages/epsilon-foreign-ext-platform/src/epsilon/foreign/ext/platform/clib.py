"""The C library of this process, as the bindings of this package declare their functions on it.

What the kernel gives a process (descriptors, mappings, blocked signals) belongs to that process. So these functions
are bound outside of any `use_backend`, which may name a backend that calls in another process. A function that this
system's C library does not have can be declared all the same, and raises when it is called.
"""

from __future__ import annotations

import contextvars
import errno
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from epsilon.foreign.api import (
    Check,
    ForeignOSError,
    Library,
    SymbolNotFoundError,
    check_nonnegative,
    check_zero,
    guarded,
    select_backend,
    use_backend,
)
from epsilon.foreign.backend import Guard

from .errors import UnsupportedPlatformError
from .isolation.machine import local_backends

T = TypeVar("T")
Hints = Mapping[int, str | Callable[[], str]]


def here(function: Callable[..., T], *args: Any) -> T:
    """Call a function on backends that call in this process, so that addresses are this process's."""
    return contextvars.Context().run(_locally, function, args)


def _locally(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    # In a context without values `use_backend` has not been called; the environment may still name a backend.
    if getattr(select_backend(), "remote", None) is None:
        return function(*args)
    with use_backend(next(local_backends())):
        return function(*args)


class CLibrary(Library):
    """The C library: functions that it lacks raise UnsupportedPlatformError when they are called."""

    def bind_declaration(self, symbol: str, declaration: Any) -> Callable[..., Any]:
        """As `Library.bind_declaration`, in a context of its own."""
        try:
            return here(super().bind_declaration, symbol, declaration)
        except SymbolNotFoundError:
            return _missing(symbol)


def _missing(symbol: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise UnsupportedPlatformError(f"the C library of this system ({sys.platform}) has no {symbol}()")

    refuse.__name__ = refuse.__qualname__ = symbol
    return refuse


#: The functions of the process itself, those of its C library among them.
libc: CLibrary = here(CLibrary, None)


def nonnegative(hints: Hints) -> Check:
    """`check_nonnegative`, with what a user can do about an errno behind its words."""

    @guarded(Guard.NEGATIVE)
    def check(result: Any, code: int, function: str) -> Any:
        return _explained(check_nonnegative, hints, result, code, function)

    return check


def zero(hints: Hints) -> Check:
    """`check_zero`, with what a user can do about an errno behind its words."""

    @guarded(Guard.NONZERO)
    def check(result: Any, code: int, function: str) -> Any:
        return _explained(check_zero, hints, result, code, function)

    return check


def _explained(check: Check, hints: Hints, result: Any, code: int, function: str) -> Any:
    try:
        return check(result, code, function)
    except ForeignOSError as error:
        hint = hints.get(code, "")
        text = hint if isinstance(hint, str) else hint()
        name = errno.errorcode.get(code, str(code))
        raise type(error)(code, f"{error.strerror} ({name})" + (f": {text}" if text else "")) from None


def retried(call: Callable[..., T], *args: Any) -> T:
    """Call until no signal interrupts it (https://peps.python.org/pep-0475/).

    Python's signal handlers run between two attempts; what they raise ends the call.
    """
    while True:
        try:
            return call(*args)
        except InterruptedError:
            continue
