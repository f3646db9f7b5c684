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
    def build(self) -> tuple[tuple[int, int, int], bool]:
        """What tells it from another one that needs testing too."""
        return self.version, self.free_threaded

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor version."""
        return self.version[:2]

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
    """The CPython 3.11+ to use, oldest first, and why others that were found or named are not used.

    Every one that is named is used, each once; of those on PATH the newest release of each minor version and
    build, since the C ABI does not change within one.
    """
    named = [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    answers = {path: ask(path) for path in named}
    refused = {path: answer for path, answer in answers.items() if isinstance(answer, str)}
    used = {each.build: each for each in answers.values() if isinstance(each, Interpreter)}
    newest: dict[tuple[tuple[int, int], bool], Interpreter] = {}
    on_path = {answer for path in _on_path() if isinstance(answer := ask(path), Interpreter)}
    for each in sorted(on_path, reverse=True):
        if each.build in used:
            continue
        best = newest.setdefault((each.minor, each.free_threaded), each)
        if each.version == best.version:
            used[each.build] = each
        else:
            refused[each.label] = f"{best.label} stands for it"
    return sorted(used.values()), refused


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
