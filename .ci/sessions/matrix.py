"""`matrix`: the tests on every CPython 3.11+ of this machine, free-threaded ones included, then a table.

Several interpreters are tested at once; what one printed is shown when it has finished, unmixed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nox

from .interpreters import Interpreter, find
from .outcomes import Outcome, closing_line, load, table
from .project import ROOT
from .testing import MATRIX, RESULTS


@nox.session(venv_backend="none", default=False)
def matrix(session: nox.Session) -> None:
    """Run `tests` on every CPython found; `-- --at-least 3` fails when fewer versions than that ran.

    `--known FILE` has the rows that a run of `tests` left behind (EPSILON_FOREIGN_RESULTS): they join the table, and
    their interpreter is not tested again.
    """
    options = parse(session.posargs)
    folder = Path(session.create_tmp()).resolve()
    interpreters, refused = find()
    print(f"CPython {', '.join(interpreter.label for interpreter in interpreters)}", flush=True)
    outcomes = [Outcome(path, "", "-", reason=reason) for path, reason in refused.items()]
    known = load(options.known) if options.known else []
    tested = {outcome.interpreter for outcome in known}
    outcomes += known
    outcomes += test_all([Run(i, folder) for i in interpreters if i.label not in tested], options.jobs)
    print(f"\n{table(outcomes)}\n{closing_line('matrix', outcomes)}", flush=True)
    verdict(session, outcomes, options.at_least)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options after ``--``."""
    parser = argparse.ArgumentParser(prog="nox -s matrix --")
    parser.add_argument("--at-least", type=int, default=1, help="CPython versions (X.Y) that must have run")
    parser.add_argument(
        "--known", type=Path, metavar="FILE", help="rows of interpreters that are tested already"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="interpreters tested at once")
    return parser.parse_args(arguments)


@dataclass(frozen=True)
class Run:
    """The `tests` session on one interpreter, by a nox of its own with environments of its own."""

    interpreter: Interpreter
    folder: Path

    def carry_out(self) -> tuple[str, list[Outcome]]:
        """What it printed, and a row for each stage and backend; a run that made none gives a failed one."""
        begin = time.monotonic()
        label, executable = self.interpreter.label, self.interpreter.executable
        environments, results = self.folder / f"cpython-{label}", self.folder / f"{label}.jsonl"
        results.unlink(missing_ok=True)
        nox_arguments = ("--force-python", executable, "--envdir", str(environments), "-s", "tests")
        done = subprocess.run(
            [sys.executable, "-m", "nox", "-f", str(ROOT / "noxfile.py"), *nox_arguments],
            env={**os.environ, RESULTS: str(results), MATRIX: "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        shutil.rmtree(environments, ignore_errors=True)
        outcomes = load(results)
        if done.returncode and not any(outcome.failed for outcome in outcomes):
            reason = "an environment could not be made: see above"
            outcomes.append(Outcome(label, "environment", "-", failed=1, reason=reason))
        took = time.monotonic() - begin
        return f"\n=== CPython {label}: {executable}, {took:.0f} s\n{done.stdout}", outcomes


def test_all(runs: list[Run], jobs: int) -> list[Outcome]:
    """Carry out the runs, `jobs` at a time, showing each when it ends; their rows in the runs' order."""
    rows: dict[Run, list[Outcome]] = {run: [] for run in runs}
    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        pending = {pool.submit(run.carry_out): run for run in runs}
        for future in as_completed(pending):
            output, rows[pending[future]] = future.result()
            print(output, flush=True)
    return [outcome for run in runs for outcome in rows[run]]


def verdict(session: nox.Session, outcomes: list[Outcome], at_least: int) -> None:
    """End the session as failed when a test failed or too few versions ran."""
    if failed := list(dict.fromkeys(outcome.interpreter for outcome in outcomes if outcome.failed)):
        session.error(f"failed on CPython {', '.join(failed)}")
    versions = {outcome.interpreter.rsplit(".", 1)[0] for outcome in outcomes if outcome.ran}
    if len(versions) < at_least:
        session.error(f"{len(versions)} CPython versions ran, {at_least} are wanted")
