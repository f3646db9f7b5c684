"""The acceptance scripts run unchanged, as a user would run them.

They stand in ``../shared/spec`` beside the checkout or where EPSILON_FOREIGN_SPEC says.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

#: The scripts that what is built so far must satisfy; each prints `ok` last.
SCRIPTS = ("s01_calls.py", "s02_data.py", "s03_callbacks.py", "s04_discovery.py", "s06_platform.py")


def spec_folder(root: Path) -> Path:
    return Path(os.environ.get("EPSILON_FOREIGN_SPEC") or root.parent / "shared/spec").resolve()


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_acceptance_script_ends_with_ok(script: str, root: Path, run_python) -> None:
    path = spec_folder(root) / script
    if not path.is_file():
        pytest.skip(f"{script}: not in {path.parent}")
    if not shutil.which("cc"):
        pytest.skip(f"{script}: its C library needs a compiler, and there is no cc")
    done = run_python(path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1:] == ["ok"]
