"""Running the machine's C and C++ compilers (GCC's or Clang's command line)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from ..contestant import UnavailableError

#: Candidates after the environment variable, most standard first.
_CANDIDATES = {"CC": ("cc", "gcc", "clang"), "CXX": ("c++", "g++", "clang++")}
_LANGUAGE = {"CC": "C", "CXX": "C++"}


def find(variable: str) -> list[str]:
    """The command for ``CC`` or ``CXX``. Raises UnavailableError when the machine has none."""
    given = os.environ.get(variable)
    if given and (command := shlex.split(given)) and shutil.which(command[0]):
        return command
    for candidate in _CANDIDATES[variable]:
        if shutil.which(candidate):
            return [candidate]
    raise UnavailableError(
        f"no {_LANGUAGE[variable]} compiler found (looked for {', '.join(_CANDIDATES[variable])})"
    )


def run(command: Sequence[str], folder: Path) -> None:
    """Run a build command in `folder`. Raises UnavailableError with what it complained about."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        telling = next((line for line in lines if "error" in line), lines[-1] if lines else "no message")
        raise UnavailableError(f"{Path(command[0]).name} failed: {telling.strip()}")


def link_flags(libraries: Sequence[Path]) -> list[str]:
    """Link against shared libraries: by path, so that the very same file is found again at run time, or by
    file name where the linker is to look for it."""
    flags: list[str] = []
    for library in libraries:
        if library.is_absolute():
            flags += [str(library), f"-Wl,-rpath,{library.parent}"]
        elif sys.platform == "darwin":
            flags.append(f"-l{library.name.removeprefix('lib').partition('.')[0]}")
        else:
            flags.append(f"-l:{library.name}")
    return flags


def extension_flags() -> list[str]:
    """Options every extension module is compiled with here: what CPython's own release builds use, less
    debugging."""
    undefined = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    return ["-shared", "-fPIC", "-O3", "-DNDEBUG", "-fno-strict-aliasing", *undefined, *includes()]


def includes() -> list[str]:
    """``-I`` for Python's headers. Raises UnavailableError when they are not installed."""
    paths = sysconfig.get_paths()
    if not Path(paths["include"], "Python.h").exists():
        raise UnavailableError(f"Python's headers are not installed ({paths['include']} has no Python.h)")
    return [f"-I{path}" for path in dict.fromkeys((paths["include"], paths["platinclude"]))]


def suffix() -> str:
    """The file name ending of extension modules."""
    return str(sysconfig.get_config_var("EXT_SUFFIX"))
