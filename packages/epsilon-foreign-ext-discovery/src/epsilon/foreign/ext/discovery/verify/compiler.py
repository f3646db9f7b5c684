"""The C compiler that is asked: found, run, and its complaints read."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..errors import DiscoveryError

#: Seconds that compiling or running may take.
TIMEOUT = 300
_NAMES = {"c": ("cc", "gcc", "clang"), "c++": ("c++", "g++", "clang++")}
_VARIABLES = {"c": "CC", "c++": "CXX"}


class CompilerError(DiscoveryError, RuntimeError):
    """There is no C compiler, or it does not take the header."""


def find_compiler(language: str = "c") -> list[str]:
    """The command of the compiler for ``"c"`` or ``"c++"``: what CC or CXX says, else the first that there is.

    Raises CompilerError.
    """
    named = os.environ.get(_VARIABLES[language])
    command = shlex.split(named) if named else []
    if command and shutil.which(command[0]):
        return command
    if command:
        raise CompilerError(f"{_VARIABLES[language]} names {command[0]!r}, which is no program")
    found = next(filter(None, map(shutil.which, _NAMES[language])), None)
    if found is None:
        raise CompilerError(f"no compiler for {language}: none of {', '.join(_NAMES[language])} is installed")
    return [found]


class Refused(Exception):
    """The source did not compile; `lines` are those that the compiler complains about, with what it says."""

    def __init__(self, output: str, source: str) -> None:
        super().__init__(output)
        pattern = re.compile(
            rf"^(?:.*[/\\])?{re.escape(source)}:(\d+):\d+: (?:fatal )?error: (.*)$", re.MULTILINE
        )
        self.lines: dict[int, str] = {}
        for number, message in pattern.findall(output):
            self.lines.setdefault(int(number), message)


def compile_and_run(command: Sequence[str], source: Path) -> str:
    """What the program prints. Raises Refused, and CompilerError when it cannot be run."""
    program = source.with_suffix(".out")
    # In the folder of the source, so that complaints name it as it is called there.
    done = _run([*command, source.name, "-o", program.name], source.parent)
    if done.returncode != 0:
        raise Refused(done.stderr, source.name)
    ran = _run([str(program)], source.parent)
    if ran.returncode != 0:
        raise CompilerError(
            f"the program that tells the layouts ended with {ran.returncode}: {ran.stderr[:500]}"
        )
    return ran.stdout


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}  # complaints are read
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilerError(f"{command[0]}: {error}") from None
