"""The demo runs on what this machine has, and tells when something is missing or wrong."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from epsilon.foreign.backend import available_backends, backend_names, get_backend, unavailable_reason

PATCHED = """
import runpy, sys

sys.path.insert(0, {demo!r})
import compression, database, timing
timing.CALLS, timing.ROUNDS, database.ROWS = 200, 1, 50
{patch}
sys.exit(runpy.run_path({demo!r}, run_name="demo")["main"]())
"""


#: The demo runs on the backends that call in its own process.
LOCAL = [name for name in available_backends() if getattr(get_backend(name), "remote", None) is None]


@pytest.fixture
def patched(root: Path, run_python):
    """Run the demo, with less to do, after some lines of Python."""

    def run(patch: str):
        return run_python(
            "-c", PATCHED.format(demo=str(root / "tests-integration/demo"), patch=textwrap.dedent(patch))
        )

    return run


def test_the_demo_calls_every_library_on_every_backend_and_agrees_with_python(root: Path, run_python) -> None:
    done = run_python(root / "tests-integration/demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    *report, table = done.stdout.split("\n\n")[:-1]
    assert "everything agreed" in done.stdout
    assert "FAILED" not in done.stdout
    for name in backend_names():
        shown = unavailable_reason(name) or "available"
        assert f"{name:<12}" in report[0] and shown in report[0]
    for part in report[1:]:
        ran = [line.strip() for line in part.splitlines() if line.strip() in LOCAL]
        assert ran == LOCAL or "passed over" in part
    rows = table.splitlines()[2:]
    assert [row[2:16].strip() for row in rows] == ["plain ctypes", *LOCAL]
    assert all(float(number) > 0 for row in rows for number in row[16:].rstrip("x").split())


def test_a_missing_zlib_or_sqlite_is_reported_and_passed_over(patched) -> None:
    done = patched('compression.LIBRARY = "no-such-zlib"; database.LIBRARY = "no-such-sqlite"')
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed over: cannot find library 'no-such-zlib'" in done.stdout
    assert "passed over: cannot find library 'no-such-sqlite'" in done.stdout


def test_a_missing_libm_is_a_failure(patched) -> None:
    done = patched('import cosines; cosines.LIBRARY = "no-such-libm"')
    assert done.returncode == 1
    assert "no-such-libm" in done.stdout


def test_an_answer_that_differs_from_pythons_is_a_failure(patched) -> None:
    done = patched("import math; math.cos = lambda x: 0.25")
    assert done.returncode == 1
    assert "FAILED: Mismatch: the cosines: C says [1.0," in done.stdout
    assert "something went wrong" in done.stdout


@pytest.mark.parametrize("module", ["zlib", "sqlite3"])
def test_a_python_without_the_module_to_compare_with_says_so(patched, module: str) -> None:
    done = patched(f"sys.modules[{module!r}] = None")
    assert done.returncode == 0, done.stdout + done.stderr
    title = {"zlib": "compressed by zlib", "sqlite3": "on disk by SQLite"}[module]
    (part,) = [part for part in done.stdout.split("\n\n") if title in part]
    assert f"this Python was built without its {module} module" in part or "passed over" in part
