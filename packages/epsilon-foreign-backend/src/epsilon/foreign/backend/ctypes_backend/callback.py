"""Upcalls through ctypes' closures."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from typing import Any

from ..signature import Signature
from ..upcall import guarded
from .types import Crossing, crossing


class CtypesCallback:
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    def __init__(self, function: Callable[..., Any], signature: Signature, name: str, error: Any) -> None:
        crossings = [crossing(t) for t in signature.types]
        result, *arguments = [c for c in crossings if c is not None]
        make = ctypes.CFUNCTYPE(result.ctype, *(c.ctype for c in arguments))
        run = guarded(function, signature, name, error)
        self._closure: Any = make(_crossed(run, arguments, result))
        self.address: int = ctypes.cast(self._closure, ctypes.c_void_p).value or 0

    def release(self) -> None:
        """Free the closure."""
        self._closure = None
        self.address = 0


def _crossed(run: Callable[..., Any], arguments: list[Crossing], result: Crossing) -> Callable[..., Any]:
    steps = [c.from_c for c in arguments]
    last = result.to_c
    if not any(steps) and last is None:
        return run

    def cross(*values: Any) -> Any:
        natural = [v if s is None else s(v) for s, v in itertools.zip_longest(steps, values)]
        returned = run(*natural)
        return returned if last is None else last(returned)

    return cross
