"""The ctypes backend: always there, no dependency, and the reference for meaning.

What it cannot do it says in `supports`: `long double` inside an aggregate, aggregates that no plain struct
travels like (see `aggregates.shape`), complex numbers where the ABI has no equal struct, other calling
conventions.
"""

from __future__ import annotations

from .backend import CtypesBackend

__all__ = ["CtypesBackend", "create"]


def create() -> CtypesBackend:
    """The backend; it works wherever ctypes does."""
    return CtypesBackend()
