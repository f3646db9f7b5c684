"""A `try` that begins with its function.

CPython runs signal handlers when a Python function is entered, at its first instruction, which no `try` can include:
what a handler raises there, `KeyboardInterrupt` most of all, leaves the function although its whole body is in one. A
function that C calls must not let that happen. Where a `try` begins is in the exception table
(https://github.com/python/cpython/blob/3.13/InternalDocs/exception_handling.md#format-of-the-exception-table): entries
in the order of their starts, each four numbers (start, length, target, depth), six bits to a byte, the most significant
first; bit 6 says that the number goes on, bit 7 that an entry begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_ENTRY, _MORE, _BITS = 0x80, 0x40, 6


def protected(function: F) -> F:
    """`function`, whose first `try`, around all of its body, now includes its first instruction too.

    One whose table is not of the known form stays as it is: an interpreter that writes it otherwise must not keep this
    package from being imported.
    """
    code = function.__code__
    table = code.co_exceptiontable
    start, at = _number(table, 0)
    length, at = _number(table, at)
    _, depth_at = _number(table, at)
    depth, _ = _number(table, depth_at)
    # The stack is empty at the first instruction, so the handler must expect nothing on it.
    if not table or not table[0] & _ENTRY or depth:
        return function
    first = bytes([_ENTRY, *_bytes(start + length)])
    function.__code__ = code.replace(co_exceptiontable=first + table[at:])
    return function


def _number(table: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a byte, and where the next one does. 0 behind the end."""
    number, more = 0, _MORE
    while more and at < len(table):
        byte = table[at]
        number = number << _BITS | (byte & ~(_ENTRY | _MORE))
        more = byte & _MORE
        at += 1
    return number, at


def _bytes(number: int) -> list[int]:
    """A number as `_number` reads it."""
    digits = [number & (_MORE - 1)]
    while number := number >> _BITS:
        digits.append(number & (_MORE - 1) | _MORE)
    return digits[::-1]
