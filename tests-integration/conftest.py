"""What the integration tests share: the backend under test, and how to run a script as a user would.

EPSILON_FOREIGN_BACKEND names the backend under test; it is inherited by every subprocess the tests start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_report_header() -> str:
    return f"backend under test: {os.environ.get('EPSILON_FOREIGN_BACKEND') or 'chosen per signature'}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def run_python() -> Run:
    """Run this interpreter with the arguments given, in a folder (`cwd`), and return the finished process."""

    def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL
        )

    return run
