"""Where things that take minutes to make are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """EPSILON_FOREIGN_CACHE, or ``epsilon-foreign`` in the user's cache folder; made when absent."""
    named = os.environ.get("EPSILON_FOREIGN_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(named) if named else base / "epsilon-foreign"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
