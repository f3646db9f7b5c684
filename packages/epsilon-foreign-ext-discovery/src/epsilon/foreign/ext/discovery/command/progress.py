"""What is being done, while it takes: one line on the terminal that goes away again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Show `what` on standard error during a block, if that is a terminal."""
    shown = sys.stderr.isatty()
    if shown:
        print(f"\r\x1b[K{what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
