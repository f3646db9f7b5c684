"""Files that appear whole or not at all."""

from __future__ import annotations

import os

from ..file.encode import write_whole
from ..ir import Binding
from .module import generate


def write_module(
    binding: Binding,
    path: str | os.PathLike[str],
    *,
    library: str | os.PathLike[str] | None = None,
    release_gil: bool = True,
) -> None:
    """Write `generate`'s source to a file, which appears whole or not at all. Raises what `generate` does, OSError."""
    write_whole(path, generate(binding, library=library, release_gil=release_gil))
