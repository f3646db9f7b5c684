"""From headers to the binding IR, through libclang."""

from __future__ import annotations

from .parsing import parse, parse_text

__all__ = ["parse", "parse_text"]
