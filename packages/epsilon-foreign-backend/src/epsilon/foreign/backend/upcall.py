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


class _Unraisable:
    """The shape of `sys.UnraisableHookArgs`, which Python code cannot construct."""

    def __init__(self, error: BaseException, message: str, object: object) -> None:
        self.exc_type = type(error)
        self.exc_value = error
        self.exc_traceback = error.__traceback__
        self.err_msg = message
        self.object = object


def report(error: BaseException, message: str, function: object) -> None:
    """Hand an exception that has nowhere to go to `sys.unraisablehook`."""
    sys.unraisablehook(_Unraisable(error, message, function))


def guarded(function: Callable[..., Any], signature: Signature, name: str, error: Any) -> Callable[..., Any]:
    """`function` returning canonical values and never raising: `error` (zero by default) stands in."""
    if error is None:
        error = zero(signature)
    convert = None if signature.result.kind is Kind.VOID else converter(signature.result)

    def run(*values: Any) -> Any:
        try:
            result = function(*values)
            return None if convert is None else convert(result)
        except BaseException as caught:
            report(caught, f"Exception ignored in callback {name}", function)
            return error

    return run
