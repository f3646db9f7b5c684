"""What pages of `docs` do besides running Python: files they show are written, commands they show are run.

`test_docs` turns such blocks into calls of `write` and `run`, in the program that the page is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def write(name: str, text: str) -> None:
    """Put a block's text into a file of the folder that the page runs in."""
    Path(name).write_text(text, encoding="utf-8")


def run(command: str, promised: str) -> None:
    """Run a command in a shell, and compare what it prints (errors, too) with what the page shows.

    ``...`` in the page stands for anything, alone on a line for any lines. Raises AssertionError with both texts.
    """
    folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": folder + os.pathsep + os.environ.get("PATH", ""), "COLUMNS": "100"}
    done = subprocess.run(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    assert done.returncode == 0, f"$ {command}\nexit code {done.returncode}\n{done.stdout}"
    shown = "".join(f"{line.rstrip()}\n" for line in done.stdout.strip("\n").splitlines())
    assert pattern(promised).fullmatch(shown), (
        f"$ {command}\n{shown}--- is not what the page shows:\n{promised}"
    )


def pattern(promised: str) -> re.Pattern[str]:
    """What the lines of an output have to match."""
    lines = [re.escape(line).replace(r"\.\.\.", ".*") + r"\n" for line in promised.splitlines()]
    return re.compile("".join(r"(?:.*\n)*?" if line == r".*\n" else line for line in lines))
