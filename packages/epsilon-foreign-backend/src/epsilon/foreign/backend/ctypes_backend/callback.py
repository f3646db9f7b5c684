"""Upcalls through ctypes' closures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from ..quarantine import Quarantine
from ..upcall import Guarded, Upcall
from .types import crossing


class CtypesCallback:
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    # An attribute, because module globals may be gone when the last callbacks die.
    _quarantine: Quarantine[Any] = Quarantine()

    def __init__(self, function: Callable[..., Any], upcall: Upcall) -> None:
        arguments = [
            crossing(type, parameter.marshal)
            for type, parameter in zip(upcall.signature.parameters, upcall.parameters, strict=True)
        ]
        result = crossing(upcall.signature.result)
        assert result is not None
        made = [c for c in arguments if c is not None]
        self._guarded = Guarded(function, upcall, [c.from_c for c in made], result.to_c)
        self._closure: Any = ctypes.CFUNCTYPE(result.ctype, *(c.ctype for c in made))(self._guarded)
        # Read from the closure: `ctypes.cast` would put it into a cycle.
        self.address: int = ctypes.c_void_p.from_buffer(self._closure).value or 0

    def release(self) -> None:
        """Let the closure report every further call; free it once enough others have been released."""
        closure, self._closure = self._closure, None
        if closure is None:
            return
        self._guarded.release()
        self.address = 0
        self._quarantine.add(closure)

    def __del__(self) -> None:
        if getattr(self, "_closure", None) is not None:
            self.release()
