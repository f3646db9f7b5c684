"""What changed between two bindings of one library, and which changes break programs that were made for the old one."""

from __future__ import annotations

from .bindings import compare_bindings
from .change import Change, Effect

__all__ = ["Change", "Effect", "compare_bindings"]
