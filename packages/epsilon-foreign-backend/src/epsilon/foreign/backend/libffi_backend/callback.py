"""Upcalls through cffi's `ffi.callback`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..abi import BOOL, Kind
from ..quarantine import Quarantine
from ..upcall import Guarded, Upcall
from .types import BOOL_FROM_C, crossing, ffi


class LibffiCallback:
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    # An attribute, because module globals may be gone when the last callbacks die.
    _quarantine: Quarantine[Any] = Quarantine()

    def __init__(self, function: Callable[..., Any], upcall: Upcall) -> None:
        arguments = [
            BOOL_FROM_C if type == BOOL else crossing(type, parameter.marshal)
            for type, parameter in zip(upcall.signature.parameters, upcall.parameters, strict=True)
        ]
        result = crossing(upcall.signature.result)
        assert result is not None
        made = [c for c in arguments if c is not None]
        is_void = upcall.signature.result.kind is Kind.VOID
        self._guarded = Guarded(function, upcall, [c.from_c for c in made], None if is_void else result.to_c)
        declared = f"{result.ctype}(*)({', '.join(c.ctype for c in made) or 'void'})"
        self._closure: Any = ffi.callback(declared, self._guarded)
        self.address: int = int(ffi.cast("uintptr_t", self._closure))

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
