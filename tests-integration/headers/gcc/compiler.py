"""Running gcc on a case's headers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..catalogue import Case

COMMAND = "gcc"


def exists() -> bool:
    """Is it installed?"""
    return shutil.which(COMMAND) is not None


@contextmanager
def source(case: Case, more: str = "") -> Iterator[Path]:
    """A C file that includes the headers, and says `more`, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "headers.c")
        path.write_text(case.text + more)
        yield path


def run(case: Case, path: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """gcc with `arguments` on `path`. Raises RuntimeError with gcc's words where it fails and must not."""
    include = [part for folder in case.include for part in ("-I", folder)]
    done = subprocess.run(
        [COMMAND, *arguments, *case.gcc, *include, str(path)],
        cwd=path.parent,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if check and done.returncode:
        raise RuntimeError(f"gcc failed on the headers of {case.name}:\n{done.stderr[:2000]}")
    return done
