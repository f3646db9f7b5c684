"""Python source from a binding: readable, typed, formatted as ruff formats, needing only the api when it runs.

Everything that comes from a header is data: names are checked, all other text is written as literals.
"""

from __future__ import annotations

from .module import generate
from .write import write_module

__all__ = ["generate", "write_module"]
