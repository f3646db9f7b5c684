"""Cython: translated in a subprocess, since importing the compiler would fill this process with its
objects."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ..contestant import UnavailableError
from . import compiler
from .cache import Built, Cache


def build(cache: Cache, name: str, source: str, libraries: Sequence[Path], optimise: str = "-O3") -> Built:
    """Translate and compile the module `name`. Raises UnavailableError."""
    if importlib.util.find_spec("Cython") is None:
        raise UnavailableError("Cython is not installed")
    translate = [sys.executable, "-m", "cython", "-3", f"{name}.pyx"]
    command = [
        *compiler.find("CC"), f"{name}.c", *compiler.extension_flags(), optimise, "-Wl,-s",
        "-o", name + compiler.suffix(), *compiler.link_flags(libraries),
    ]  # fmt: skip

    def make(folder: Path) -> None:
        (folder / f"{name}.pyx").write_text(source)
        compiler.run(translate, folder)
        compiler.run(command, folder)

    return cache.build(name, [source, version("Cython"), *command], make)
