"""Keeps what was compiled: every backend and every interpreter calls the same large library.

Kept in EPSILON_FOREIGN_CACHE, or ~/.cache/epsilon-foreign, by what went into it: the source, the command, the
compiler's version.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path


def kept(source: str, command: list[str], make: Callable[[Path], None]) -> Path:
    """The library of a source; ``make(path)`` compiles it where there is none. Several processes may ask at once."""
    version = subprocess.run([command[0], "--version"], capture_output=True, text=True).stdout
    digest = hashlib.sha256("\0".join([source, *command, version]).encode()).hexdigest()[:32]
    home = os.environ.get("EPSILON_FOREIGN_CACHE") or Path.home() / ".cache/epsilon-foreign"
    folder = Path(home, "test-libraries")
    found = folder / f"{digest}.so"
    if not found.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{digest}.{os.getpid()}"
        try:
            make(unfinished)
            unfinished.replace(found)
        finally:
            unfinished.unlink(missing_ok=True)
    return found
