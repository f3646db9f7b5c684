"""Progress on a terminal, silence everywhere else.

It draws only when told to, between timings: a display that refreshes itself has a thread, and a thread that
wakes up takes the interpreter's lock from whatever is being timed.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO


class Progress:
    """One line that is drawn over and over; nothing at all when `stream` is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.visible = self.stream.isatty()
        self._total = 1
        self._done = 0
        self._what = ""
        self._drawn = 0.0

    def start(self, total: int) -> None:
        """`total` steps are ahead."""
        self._total, self._done = max(total, 1), 0

    def say(self, what: str) -> None:
        """What is going on now."""
        self._what = what
        self._draw(force=True)

    def step(self, count: int = 1) -> None:
        """`count` steps are done."""
        self._done = min(self._done + count, self._total)
        self._draw()

    def finish(self) -> None:
        """Remove the line."""
        if self.visible:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _draw(self, force: bool = False) -> None:
        now = time.monotonic()
        if not self.visible or (now - self._drawn < 0.1 and not force):
            return
        self._drawn = now
        width = shutil.get_terminal_size().columns
        full = round(24 * self._done / self._total)
        line = f"{'━' * full}{'╌' * (24 - full)} {100 * self._done // self._total:3}%  {self._what}"
        self.stream.write(f"\r\x1b[K{line[: width - 1]}")
        self.stream.flush()
