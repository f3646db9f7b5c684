"""`matrix`: the tests on every CPython 3.11+ of this machine, free-threaded ones included, then a table."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import nox
from nox.command import CommandFailed

from .interpreters import Interpreter, find
from .outcomes import Outcome, append, closing_line, load, table
from .project import ROOT
from .testing import RESULTS


@nox.session(venv_backend="none", default=False)
def matrix(session: nox.Session) -> None:
    """Run `tests` on every CPython found; `-- --at-least 3` fails when fewer versions than that ran."""
    options = parse(session.posargs)
    folder = Path(session.create_tmp()).resolve()
    results = folder / "outcomes.jsonl"
    results.unlink(missing_ok=True)
    interpreters, refused = find()
    append(results, [Outcome(path, "", "-", reason=reason) for path, reason in refused.items()])
    broken = [
        interpreter for interpreter in interpreters if not run_tests(session, interpreter, folder, results)
    ]
    outcomes = load(results)
    print(f"\n{table(outcomes)}\n{closing_line('matrix', outcomes)}", flush=True)
    verdict(session, interpreters, broken, outcomes, options.at_least)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options after ``--``."""
    parser = argparse.ArgumentParser(prog="nox -s matrix --")
    parser.add_argument("--at-least", type=int, default=1, help="CPython versions (X.Y) that must have run")
    return parser.parse_args(arguments)


def run_tests(session: nox.Session, interpreter: Interpreter, folder: Path, results: Path) -> bool:
    """Run the `tests` session on one interpreter, in environments of its own; whether it succeeded."""
    environments = folder / f"cpython-{interpreter.label}"
    known = len(load(results))
    print(f"\n=== CPython {interpreter.label}: {interpreter.executable}", flush=True)
    nox_arguments = ("--force-python", interpreter.executable, "--envdir", str(environments), "-s", "tests")
    try:
        session.run(
            *(sys.executable, "-m", "nox", "-f", str(ROOT / "noxfile.py"), *nox_arguments),
            env={RESULTS: str(results)},
            external=True,
            log=False,
        )
    except CommandFailed:
        if not any(outcome.failed for outcome in load(results)[known:]):
            reason = "an environment could not be made: see above"
            append(results, [Outcome(interpreter.label, "environment", "-", failed=1, reason=reason)])
        return False
    finally:
        shutil.rmtree(environments, ignore_errors=True)
    return True


def verdict(
    session: nox.Session,
    interpreters: list[Interpreter],
    broken: list[Interpreter],
    outcomes: list[Outcome],
    at_least: int,
) -> None:
    """End the session as failed when a test failed or too few versions ran."""
    if broken or any(outcome.failed for outcome in outcomes):
        session.error(f"failed on CPython {', '.join(interpreter.label for interpreter in broken)}")
    ran = {outcome.interpreter for outcome in outcomes if outcome.ran}
    versions = {interpreter.version[:2] for interpreter in interpreters if interpreter.label in ran}
    if len(versions) < at_least:
        session.error(f"{len(versions)} CPython versions ran, {at_least} are wanted")
