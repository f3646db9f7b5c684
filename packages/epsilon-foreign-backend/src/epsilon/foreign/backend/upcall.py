"""What every backend puts around a Python function that C calls: conversion of the result, and no lost exception."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .abi import Kind
from .convert import converter
from .signature import Signature

_ZERO: dict[Kind, Any] = {Kind.BOOL: False, Kind.FLOAT: 0.0, Kind.COMPLEX: 0j, Kind.VOID: None}


def zero(signature: Signature) -> Any:
    """The canonical zero of a signature's result."""
    result = signature.result
    return bytes(result.size) if result.kind is Kind.AGGREGATE else _ZERO.get(result.kind, 0)


# The interpreter's own hook takes nothing but this struct sequence, which has a constructor and no public name
# (https://docs.python.org/3/library/sys.html#sys.unraisablehook).
_UnraisableHookArgs: Any = next(c for c in tuple.__subclasses__() if c.__name__ == "UnraisableHookArgs")


def report(error: BaseException, message: str, function: object) -> None:
    """Hand an exception that has nowhere to go to `sys.unraisablehook`."""
    sys.unraisablehook(_UnraisableHookArgs((type(error), error, error.__traceback__, message, function)))


def guarded(function: Callable[..., Any], signature: Signature, name: str, error: Any) -> Callable[..., Any]:
    """`function` returning canonical values and never raising: `error` (zero by default) stands in.

    Raises an `ArgumentError` when `error` is no value of the result's type.
    """
    convert = None if signature.result.kind is Kind.VOID else converter(signature.result)
    error = zero(signature) if error is None or convert is None else convert(error)

    def run(*values: Any) -> Any:
        try:
            result = function(*values)
            return None if convert is None else convert(result)
        except BaseException as caught:
            report(caught, f"Exception ignored in callback {name}", function)
            return error

    return run
