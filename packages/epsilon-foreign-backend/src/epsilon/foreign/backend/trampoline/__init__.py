"""The trampoline backend: one stub of machine code per signature, generated in pure Python.

The folder, from the bottom up: `assembler` encodes instructions; `machine` is the small set of operations
that every processor offers; `conventions` say where arguments travel; `cpython` knows the interpreter's C-API
and object layout; `codegen` writes stubs over all of these; `memory` makes them executable; `record` is the
function that people call; `stubs` caches, `fallback` does the rest, `backend` ties them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backend import TrampolineBackend

__all__ = ["create"]


def create() -> TrampolineBackend:
    """The backend. Raises BackendUnavailableError where no stub can be made or run, with the reason."""
    from .backend import TrampolineBackend

    return TrampolineBackend()
