"""The command line: ``epsilon-foreign-discover``, or ``python -m epsilon.foreign.ext.discovery``."""

from __future__ import annotations

from .main import main

__all__ = ["main"]
