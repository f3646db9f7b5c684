"""Tells which calls a stub served alone and which it handed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import Binding
from epsilon.foreign.backend.trampoline.backend import TrampolineBackend


class Watched:
    """A bound function that counts how often its stub went to the fallback."""

    def __init__(self, backend: TrampolineBackend, address: int, binding: Binding) -> None:
        function: Callable[..., Any] = backend.bind(address, binding)
        record = function.__self__  # type: ignore[attr-defined]
        record.fallback._link(record)  # as the first call does
        self._fallback = record.fallback
        record.fallback = self._counting
        self.function = function
        self.handed_on = 0

    def _counting(self, *args: Any, **kwargs: Any) -> Any:
        self.handed_on += 1
        return self._fallback(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def inline(self, *args: Any) -> Any:
        """Call, and see that the stub did it alone."""
        before = self.handed_on
        result = self.function(*args)
        assert self.handed_on == before, f"{args!r} went to the fallback"
        return result

    def slow(self, *args: Any) -> Any:
        """Call, and see that the stub handed the call on."""
        before = self.handed_on
        try:
            return self.function(*args)
        finally:
            assert self.handed_on == before + 1, f"{args!r} did not go to the fallback"
