"""Compile the C library that the tests of the backend layer call.

    python tests/native/build.py OUT                             # with $CC, or cc
    python tests/native/build.py --cc aarch64-linux-gnu-gcc OUT  # for tests under emulation

The tests run it themselves; where they cannot (no compiler beside the interpreter under test), compile
beforehand and name the result in EPSILON_FOREIGN_TEST_LIBRARY. Part of the library is generated: functions
over random signatures and over random aggregates (`backend_support.random_signatures`,
`backend_support.random_aggregates`).
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from backend_support import random_aggregates, random_signatures  # noqa: E402

# -O1: enough to leave values in registers and garbage in the rest of them, and quick to compile.
FLAGS = ("-std=gnu11", "-O1", "-shared", "-fPIC", "-pthread", "-Wno-psabi", "-w")


def compiler(named: str | None = None) -> list[str] | None:
    """The command of the C compiler: as named, $CC, or cc; None when that does not exist."""
    command = shlex.split(named or os.environ.get("CC") or "cc")
    return command if command and shutil.which(command[0]) else None


def build(out: Path, command: list[str]) -> Path:
    """Compile the shared library `out`. Raises CalledProcessError with the compiler's words."""
    with tempfile.TemporaryDirectory() as folder:
        generated = []
        for module in (random_aggregates, random_signatures):
            source = Path(folder, f"{module.__name__.rpartition('.')[2]}.c")
            source.write_text(module.c_source())
            generated.append(source)
        sources = [*sorted(HERE.glob("*.c")), *generated]
        subprocess.run(
            [*command, *FLAGS, "-o", str(out), *map(str, sources)],
            check=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    return out


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cc", help="the compiler's command; $CC or cc by default")
    parser.add_argument("out", type=Path, help="the shared library to write")
    arguments = parser.parse_args()
    command = compiler(arguments.cc)
    if command is None:
        raise SystemExit(f"no C compiler {arguments.cc or os.environ.get('CC') or 'cc'!r}")
    try:
        build(arguments.out, command)
    except subprocess.CalledProcessError as error:
        raise SystemExit(error.stderr) from None


if __name__ == "__main__":
    main()
