"""Where the cache is: the user's own folder for such files.

https://specifications.freedesktop.org/basedir-spec/latest/ on Unix; ``EPSILON_FOREIGN_CACHE`` names another place.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The folder of cached bindings; it need not exist. Raises RuntimeError for a user without a home."""
    named = os.environ.get("EPSILON_FOREIGN_CACHE")
    if named:
        return Path(named, "discovery")
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "epsilon-foreign" / "discovery"


def clear_cache() -> int:
    """Remove all cached bindings; how many there were."""
    count = 0
    for entry in cache_folder().glob("*.binding"):
        try:
            entry.unlink()
            count += 1
        except OSError:  # another process was faster
            continue
    return count
