"""What the tests of isolation share: the C libraries, and looking at processes from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

THOROUGH = os.environ.get("EPSILON_FOREIGN_THOROUGH") == "1"


def count(short: int, thorough: int = 1000) -> int:
    """How often to try something: EPSILON_FOREIGN_THOROUGH=1 asks for the full count."""
    return thorough if THOROUGH else short


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def alive(process: int) -> bool:
    """Does a process exist, and is no zombie?"""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(process: int) -> int:
    """The parent of a process: of the child, the keeper."""
    with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


linux = pytest.mark.skipif(os.uname().sysname != "Linux", reason="isolated calls need Linux")
