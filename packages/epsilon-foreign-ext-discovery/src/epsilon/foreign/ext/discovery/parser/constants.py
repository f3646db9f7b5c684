"""Constants, as clang evaluates what a variable is initialised with."""

from __future__ import annotations

from typing import Any

from . import kinds


def constant_of(clang: Any, variable: Any) -> int | float | bytes | None:
    """The value that a variable's cursor is initialised with, bytes for text; None when it is no constant."""
    result = clang.clang_Cursor_Evaluate(variable)
    if not result:
        return None
    try:
        kind = clang.clang_EvalResult_getKind(result)
        if kind == kinds.EVAL_INT:
            if clang.clang_EvalResult_isUnsignedInt(result):
                return int(clang.clang_EvalResult_getAsUnsigned(result))
            return int(clang.clang_EvalResult_getAsLongLong(result))
        if kind == kinds.EVAL_FLOAT:
            return float(clang.clang_EvalResult_getAsDouble(result))
        if kind == kinds.EVAL_STRING:
            found: bytes | None = clang.clang_EvalResult_getAsStr(result)
            return found
        return None
    finally:
        clang.clang_EvalResult_dispose(result)


def text_of(clang: Any, array: Any, data: bytes) -> str | bytes | None:
    """The text that an array of char is initialised with; None when a NUL inside hides its end from libclang."""
    if clang.clang_getNumElements(clang.clang_getCursorType(array)) - 1 != len(data):
        return None
    return decoded(data)


def decoded(data: bytes) -> str | bytes:
    """Text where it is UTF-8, bytes where it is not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data
