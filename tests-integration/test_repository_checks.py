"""The repository's own checks find what they are for, and count test runs as they ended."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest

LOWER, UPPER = "epsilon.foreign.lower", "epsilon.foreign.upper"


@pytest.fixture(autouse=True)
def tools(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (root / ".ci", root / ".ci/checks"):
        monkeypatch.syspath_prepend(str(folder))


def used_privately(source: str) -> list[str]:
    import public_names

    reader = public_names.Reader(UPPER, {LOWER: {"Public", "use"}, UPPER: set()})
    reader.read(f"{UPPER}.module", ast.parse(source), is_package=False)
    return [what.split()[0] for _, what in reader.findings]


@pytest.mark.parametrize(
    "source",
    [
        f"from {LOWER} import Public, use",
        f"import {LOWER} as it\nit.Public.anything",
        "from ..lower import Public",
        f"import {LOWER} as it\ndef f(it): return it.private",
        "from .other import _private",
        "import os.path\nos._exit",
    ],
)
def test_public_names_may_be_used(source: str) -> None:
    assert used_privately(source) == []


@pytest.mark.parametrize(
    "source",
    [
        f"from {LOWER} import private",
        f"from {LOWER}.private import Public",
        f"import {LOWER}.private",
        f"import {LOWER}\ndef f(): return epsilon.foreign.lower.private",
        "from ..lower.private import Public",
        "from .. import lower\nclass A:\n def f(self): return lambda: lower.private",
    ],
)
def test_the_use_of_a_private_name_is_found(source: str) -> None:
    assert used_privately(source) == ["private"]


def test_a_file_over_the_limit_is_found(tmp_path: Path) -> None:
    import source_size

    short, long = tmp_path / "short.py", tmp_path / "long.py"
    short.write_text("\n" * source_size.LIMIT)
    long.write_text("\n" * (source_size.LIMIT + 1))
    assert source_size.too_long([short, long]) == [(long, source_size.LIMIT + 1)]


def outcome(report: Path, broken: str) -> Any:
    from sessions.outcomes import Outcome, read_junit

    return read_junit(report, Outcome("3.11.0", "stage", "ctypes"), broken)


@pytest.mark.parametrize(
    ("counts", "broken", "passed", "failed"),
    [
        ('tests="3" failures="0" errors="0" skipped="1"', "", 2, 0),
        ('tests="3" failures="1" errors="1" skipped="0"', "exit code 1", 1, 2),
        ('tests="3" failures="0" errors="0" skipped="0"', "a crash at exit", 3, 1),
        ('tests="2" failures="0" errors="0" skipped="2"', "", 0, 1),
    ],
)
def test_a_run_is_counted_as_it_ended(
    counts: str, broken: str, passed: int, failed: int, tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f'<testsuites><testsuite {counts} time="1.5"/></testsuites>')
    counted = outcome(report, broken)
    assert (counted.passed, counted.failed) == (passed, failed)


def test_a_run_without_a_report_counts_as_a_failure(tmp_path: Path) -> None:
    counted = outcome(tmp_path / "missing.xml", "returned code -11")
    assert (counted.failed, counted.reason) == (1, "returned code -11")


def test_an_interpreter_is_asked_what_it_is() -> None:
    from sessions.interpreters import Interpreter, ask

    answer = ask(sys.executable)
    assert isinstance(answer, Interpreter)
    assert answer.version == sys.version_info[:3]
    assert "t" not in answer.label or answer.free_threaded
    assert isinstance(ask("/no/such/python"), str)
