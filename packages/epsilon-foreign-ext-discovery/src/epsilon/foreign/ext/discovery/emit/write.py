"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..ir import Binding
from .module import generate


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file through a temporary one beside it, which takes its place when it is complete. Raises OSError."""
    target = Path(path)
    if target.is_symlink():
        target = target.resolve()
    mode = _mode(target)
    descriptor, made = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(made, mode)
        os.replace(made, target)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those that a new one gets."""
    try:
        return target.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def write_module(
    binding: Binding, path: str | os.PathLike[str], *, library: str | os.PathLike[str] | None = None
) -> None:
    """Write `generate`'s source to a file, which appears whole or not at all. Raises what `generate` does, OSError."""
    write_text(path, generate(binding, library=library))
