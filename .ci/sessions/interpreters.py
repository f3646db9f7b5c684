"""The CPython interpreters of this machine: those on PATH and those that EPSILON_FOREIGN_PYTHONS names.

Each is asked itself; a name that does not answer (a version manager's shim, a broken link) is passed
over, one named on purpose is reported.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 11)
VARIABLE = "EPSILON_FOREIGN_PYTHONS"
_NAME = re.compile(r"python3(\.\d+)?t?")
_QUESTION = """
import json, os, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "level": sys.version_info.releaselevel,
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
}))
"""


@dataclass(frozen=True, order=True)
class Interpreter:
    """A CPython that answered: its version (major, minor, micro), build and path."""

    version: tuple[int, int, int]
    free_threaded: bool
    executable: str

    @property
    def label(self) -> str:
        """``3.13.5t``: what the tables show."""
        return ".".join(map(str, self.version)) + ("t" if self.free_threaded else "")

    @property
    def has_cffi(self) -> bool:
        """Whether PyPI has a cffi for it: free-threaded builds from 3.14 on only."""
        return not self.free_threaded or self.version >= (3, 14)


def ask(executable: str | os.PathLike[str]) -> Interpreter | str:
    """The interpreter behind a path, or why it cannot serve."""
    try:
        done = subprocess.run(
            [os.fspath(executable), "-I", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
    answer = json.loads(done.stdout)
    if answer["implementation"] != "cpython":
        return f"{answer['implementation']}, not CPython"
    if tuple(answer["version"][:2]) < OLDEST:
        return f"version {'.'.join(map(str, answer['version']))}"
    major, minor, micro = answer["version"]
    return Interpreter((major, minor, micro), answer["free_threaded"], answer["executable"])


def find() -> tuple[list[Interpreter], dict[str, str]]:
    """Every distinct CPython 3.11+ found, oldest first, and why any other that was named cannot serve."""
    found: dict[tuple[tuple[int, int, int], bool], Interpreter] = {}
    refused: dict[str, str] = {}
    named = [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    for path in [*named, *_on_path()]:
        answer = ask(path)
        if isinstance(answer, Interpreter):
            found.setdefault((answer.version, answer.free_threaded), answer)
        elif path in named:
            refused[path] = answer
    return sorted(found.values()), refused


def _on_path() -> list[str]:
    paths: dict[Path, str] = {}
    for folder in os.get_exec_path():
        if not os.path.isdir(folder):
            continue
        for entry in sorted(os.listdir(folder)):
            path = Path(folder, entry)
            # Shims are one file for every name: they are told apart by name, everything else by what it is.
            if _NAME.fullmatch(entry) and os.access(path, os.X_OK):
                paths.setdefault(path.resolve() if path.is_symlink() else path, str(path))
    return list(paths.values())
