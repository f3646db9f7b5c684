"""Upcalls through cffi's `ffi.callback`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from ..abi import Kind
from ..signature import Signature
from ..upcall import guarded
from .types import Crossing, crossing, ffi


class LibffiCallback:
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    def __init__(self, function: Callable[..., Any], signature: Signature, name: str, error: Any) -> None:
        crossings = [crossing(t) for t in signature.types]
        result, *arguments = [c for c in crossings if c is not None]
        run = guarded(function, signature, name, error)
        declared = f"{result.ctype}(*)({', '.join(c.ctype for c in arguments) or 'void'})"
        crossed = _crossed(run, arguments, result, signature.result.kind is Kind.VOID)
        self._closure: Any = ffi.callback(declared, crossed)
        self.address: int = int(ffi.cast("uintptr_t", self._closure))

    def release(self) -> None:
        """Free the closure."""
        self._closure = None
        self.address = 0


def _crossed(run: Any, arguments: list[Crossing], result: Crossing, void: bool) -> Callable[..., Any]:
    steps = [c.from_c for c in arguments]
    last = result.to_c
    if not any(steps) and (last is None or void):
        return run  # type: ignore[no-any-return]  # a closure

    def cross(*values: Any) -> Any:
        natural = [v if s is None else s(v) for s, v in itertools.zip_longest(steps, values)]
        returned = run(*natural)
        return returned if last is None or void else last(returned)

    return cross
