"""Checks of results: what turns C's ways of saying "failed" into exceptions.

A check is a function ``check(result, errno, function) -> result``, given what the caller would get, the errno
that the call left (0 when it set none), and the function's name. What it returns is what the caller gets. A
check with a ``guard`` attribute (`Guard`) is only called when the raw result is such; the checks here cost a
successful call nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import Guard

from .errors import os_error

Check = Callable[[Any, int, str], Any]


def guarded(guard: Guard) -> Callable[[Check], Check]:
    """Decorate a check that only needs to see results for which `guard` holds."""

    def mark(check: Check) -> Check:
        check.guard = guard  # type: ignore[attr-defined]  # functions take attributes
        return check

    return mark


@guarded(Guard.NEGATIVE)
def check_nonnegative(result: Any, errno: int, function: str) -> Any:
    """A negative result means failure, and errno says why.

    Raises `ForeignOSError` (and the builtin for the code).
    """
    if result < 0:
        raise os_error(errno, function)
    return result


@guarded(Guard.NONZERO)
def check_zero(result: Any, errno: int, function: str) -> Any:
    """Anything but 0 means failure, and errno says why. Raises `ForeignOSError`."""
    if result:
        raise os_error(errno, function)
    return result


@guarded(Guard.ZERO)
def check_nonnull(result: Any, errno: int, function: str) -> Any:
    """NULL (or 0) means failure, and errno says why. Raises `ForeignOSError`."""
    if not result:
        raise os_error(errno, function)
    return result


def check_errno(result: Any, errno: int, function: str) -> Any:
    """Any errno but 0 means failure, whatever the result (strtol, readdir). Raises `ForeignOSError`."""
    if errno:
        raise os_error(errno, function)
    return result
