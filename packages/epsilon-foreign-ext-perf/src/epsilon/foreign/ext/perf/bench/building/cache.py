"""A folder for what was built, keyed by what it was built from.

The key holds the interpreter's ABI tag and a hash of every source and option, so two interpreters never share
an extension, and an edited source is built again. The place follows the XDG base directory specification
(https://specifications.freedesktop.org/basedir-spec/latest/).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

_RECORD = "build.json"


class Built(NamedTuple):
    """A folder with build products, and the seconds that making them took (when they were made)."""

    folder: Path
    seconds: float


class Cache:
    """Build products under `root`."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def build(self, name: str, ingredients: Iterable[str], make: Callable[[Path], None]) -> Built:
        """The folder for `name` made from `ingredients`, built with ``make(folder)`` unless it is there
        already.

        The products appear under their final name only when they are complete: an interrupted build leaves
        nothing that a later run would take for whole. What `make` raises passes through.
        """
        folder = self.root / abi_tag() / f"{name}-{_digest(ingredients)}"
        if (folder / _RECORD).exists():
            return Built(folder, float(json.loads((folder / _RECORD).read_text())["seconds"]))
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
        try:
            started = time.perf_counter()
            make(scratch)
            seconds = time.perf_counter() - started
            (scratch / _RECORD).write_text(json.dumps({"name": name, "seconds": seconds}))
            if not folder.exists():
                scratch.rename(folder)
        except OSError:
            # Another process finished the same build first: its products are as good.
            if not (folder / _RECORD).exists():
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return Built(folder, seconds)


def abi_tag() -> str:
    """What distinguishes this interpreter's extensions from another's, such as
    ``cpython-313t-x86_64-linux-gnu``."""
    return str(
        sysconfig.get_config_var("SOABI") or sysconfig.get_config_var("EXT_SUFFIX") or "unknown"
    ).strip(".")


def default_root() -> Path:
    """``$XDG_CACHE_HOME/epsilon-foreign/bench``, or its default under the home directory."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path is invalid and to be ignored.
    home = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return home / "epsilon-foreign" / "bench"


def _digest(ingredients: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for ingredient in ingredients:
        digest.update(ingredient.encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
