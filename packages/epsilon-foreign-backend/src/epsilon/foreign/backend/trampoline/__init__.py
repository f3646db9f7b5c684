"""The trampoline backend: one stub of machine code per signature, in pure Python."""

from __future__ import annotations

from ..errors import BackendUnavailableError


def create() -> None:
    """The backend."""
    raise BackendUnavailableError("the trampoline backend is not built yet")
