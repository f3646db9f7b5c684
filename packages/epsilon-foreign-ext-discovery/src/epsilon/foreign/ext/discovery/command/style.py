"""Colours, where somebody sees them (https://no-color.org)."""

from __future__ import annotations

import os
from typing import IO

_CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}


class Style:
    """Colours text for one stream: only a terminal, and only when NO_COLOR does not forbid it."""

    def __init__(self, stream: IO[str]) -> None:
        self.on = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def __call__(self, text: str, *names: str) -> str:
        """`text` in the styles of those names."""
        if not self.on or not text:
            return text
        codes = ";".join(str(_CODES[name]) for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"


def printable(text: str) -> str:
    """Text of a header or a library without what would steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
