"""What test runs came to: one row per interpreter, stage and backend, kept as JSON lines, shown as a table.

Rows are handed from the sessions that test to the one that shows them through a file, since nox gives each
session an environment of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Outcome:
    """One run of a stage's tests on a backend; `reason` says why it did not run or did not finish."""

    interpreter: str
    stage: str
    backend: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    reason: str = ""

    @property
    def ran(self) -> bool:
        """Whether any test was executed."""
        return bool(self.passed or self.failed)


def read_junit(path: Path, run: Outcome, broken: str) -> Outcome:
    """`run` with the counts of a JUnit file of pytest.

    `broken` says how pytest ended when not well. A run that ended so without a failed test, executed no
    test, or wrote no file (it crashed) counts as one failure.
    """
    try:
        suite = ElementTree.parse(path).getroot().find("testsuite")
    except (OSError, ElementTree.ParseError):
        suite = None
    if suite is None:
        return replace(run, failed=1, reason=broken or "pytest wrote no report")
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    counted = replace(
        run,
        passed=max(total - skipped - failed, 0),
        failed=failed,
        skipped=skipped,
        seconds=float(suite.get("time", 0)),
    )
    if counted.failed:
        return counted
    if broken or not counted.passed:
        return replace(counted, failed=1, reason=broken or "no test was executed")
    return counted


def append(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Add rows to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(outcome)) + "\n" for outcome in outcomes)


def load(path: Path) -> list[Outcome]:
    """The rows of a file of JSON lines; none when there is no file."""
    if not path.exists():
        return []
    return [Outcome(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def table(outcomes: list[Outcome]) -> str:
    """Interpreter × backend × result over all stages, as aligned text."""
    cells: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        cells.setdefault((outcome.interpreter, outcome.backend), []).append(outcome)
    rows = [("interpreter", "backend", "result")]
    rows += [(interpreter, backend, _result(group)) for (interpreter, backend), group in cells.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows)


def _result(group: list[Outcome]) -> str:
    passed, failed, skipped = (
        sum(getattr(row, field) for row in group) for field in ("passed", "failed", "skipped")
    )
    reasons = "; ".join(dict.fromkeys(row.reason for row in group if row.reason))
    if not passed and not failed:
        return f"not run: {reasons}"
    counts = (
        f"passed {passed}, failed {failed}, skipped {skipped} in {sum(row.seconds for row in group):.0f} s"
    )
    broken = ", ".join(row.stage for row in group if row.failed)
    return counts + (f" ({broken})" if broken else "") + (f"; {reasons}" if reasons else "")


def closing_line(name: str, outcomes: list[Outcome]) -> str:
    """``name: 3 passed, 0 failed``: the sum of all rows."""
    return (
        f"{name}: {sum(row.passed for row in outcomes)} passed, {sum(row.failed for row in outcomes)} failed"
    )
