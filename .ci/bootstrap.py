"""Start nox with nothing but CPython 3.11+ and pip: a private environment gets what is missing.

Standard library only. The environment is made with `venv` (https://docs.python.org/3/library/venv.html),
without ensurepip, which some distributions split off: this interpreter's own pip installs into it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

OLDEST = (3, 11)
NOX = "nox>=2025.2.9,<2028"
UV = "uv>=0.5,<1"


def run_nox(root: Path, arguments: list[str]) -> int:
    """Run nox on the noxfile of `root` and return its exit code; an absent nox is installed privately."""
    if sys.version_info < OLDEST:
        print(f"CPython {'.'.join(map(str, OLDEST))} or newer is needed; this is {sys.version.split()[0]}")
        return 2
    python = sys.executable if importlib.util.find_spec("nox") else str(private_environment(root))
    try:
        return subprocess.call([python, "-m", "nox", "-f", str(root / "noxfile.py"), *arguments])
    except KeyboardInterrupt:
        return 130


def private_environment(root: Path) -> Path:
    """The Python of an environment with nox, made on first use; one per build of the interpreter."""
    home = root / ".nox" / f"bootstrap-{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = home / "ready"
    wanted = f"{NOX}\n{UV}\n{sys.base_prefix}\n"
    if python.exists() and ready.exists() and ready.read_text() == wanted:
        return python
    print(f"nox is not installed: making {home.relative_to(root)} for it", flush=True)
    venv.EnvBuilder(clear=True, symlinks=os.name != "nt").create(home)
    install(python, NOX)
    try:
        install(python, UV)
    except subprocess.CalledProcessError:
        print("uv cannot be installed here: virtualenv serves", flush=True)
    ready.write_text(wanted)
    return python


def install(python: Path, requirement: str) -> None:
    """Install one requirement into the environment of `python`; raises CalledProcessError when pip cannot."""
    if importlib.util.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", "--python", str(python)]
    else:
        subprocess.run([str(python), "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
        pip = [str(python), "-m", "pip"]
    subprocess.run([*pip, "--disable-pip-version-check", "install", "-q", requirement], check=True)
