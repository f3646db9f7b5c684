"""The compilers that tests need, or a skip that names what is missing."""

from __future__ import annotations

import os
import shlex
import shutil

import pytest


def compiler(variable: str = "CC", default: str = "cc") -> list[str]:
    """The command in the environment variable, or the default; skips where there is none."""
    command = shlex.split(os.environ.get(variable) or default)
    if not command or shutil.which(command[0]) is None:
        pytest.skip(f"no compiler {command or variable}")
    return command
