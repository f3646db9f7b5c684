"""Upcalls through ctypes' closures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from ..quarantine import Quarantine
from ..upcall import Guarded, Upcall
from .types import crossing

_released: Quarantine[Any] = Quarantine()


class CtypesCallback:
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    def __init__(self, function: Callable[..., Any], upcall: Upcall) -> None:
        arguments = [
            crossing(type, parameter.marshal)
            for type, parameter in zip(upcall.signature.parameters, upcall.parameters, strict=True)
        ]
        result = crossing(upcall.signature.result)
        assert result is not None
        self._guarded = Guarded(function, upcall)
        made = [c for c in arguments if c is not None]
        run = crossed(self._guarded, [c.from_c for c in made], result.to_c)
        self._closure: Any = ctypes.CFUNCTYPE(result.ctype, *(c.ctype for c in made))(run)
        self.address: int = ctypes.cast(self._closure, ctypes.c_void_p).value or 0

    def release(self) -> None:
        """Let the closure report every further call; free it once enough others have been released."""
        closure, self._closure = self._closure, None
        if closure is None:
            return
        self._guarded.released = True
        self.address = 0
        _released.add(closure)
        _released.take()

    def __del__(self) -> None:
        if getattr(self, "_closure", None) is not None:
            self.release()


def crossed(run: Callable[..., Any], steps: list[Any], last: Any) -> Callable[..., Any]:
    """`run` between the conversions of its arguments and its result; `run` itself where there are none."""
    if not any(steps) and last is None:
        return run

    def cross(*values: Any) -> Any:
        returned = run(*[v if s is None else s(v) for s, v in zip(steps, values, strict=True)])
        return returned if last is None else last(returned)

    return cross


