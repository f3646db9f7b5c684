"""libclang: where it is, and its functions through `epsilon.foreign.api`."""

from __future__ import annotations

from .load import load
from .locate import Installation, locate

__all__ = ["Installation", "load", "locate"]
