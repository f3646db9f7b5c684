"""Importing the api is cheap, whatever it can do later."""

from __future__ import annotations

import json
import statistics
import time

import pytest

BUDGET = 0.060  # seconds over the bare interpreter
ROUNDS = 9
HEAVY = ("cffi", "_cffi_backend", "numpy", "inspect", "dataclasses", "platform", "subprocess", "clang")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytecode is kept, as an installer or the first import leaves it, wherever the sources are."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))


def seconds(run_python, statement: str) -> float:
    begin = time.perf_counter()
    done = run_python("-c", statement)
    took = time.perf_counter() - begin
    assert done.returncode == 0, done.stderr
    return took


def test_importing_the_api_takes_at_most_60_ms_more_than_nothing(run_python) -> None:
    statement = "import epsilon.foreign.api"
    seconds(run_python, statement)  # writes the bytecode files
    # Each round measures both, so that a busy moment of the machine falls on either.
    pairs = [(seconds(run_python, "pass"), seconds(run_python, statement)) for _ in range(ROUNDS)]
    extra = statistics.median(with_api - bare for bare, with_api in pairs)
    assert extra <= BUDGET, f"{extra * 1000:.1f} ms"


def test_importing_the_api_imports_nothing_heavy(run_python) -> None:
    program = "import json, sys, epsilon.foreign.api; print(json.dumps(sorted(sys.modules)))"
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    assert not set(HEAVY) & set(json.loads(done.stdout))
