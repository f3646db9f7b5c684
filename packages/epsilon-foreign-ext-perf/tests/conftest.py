"""What the tests share: a cache folder that lives as long as the run, a report made by hand, and the reason
for which a test that builds something is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from epsilon.foreign.api import available_backends
from epsilon.foreign.ext.perf.bench import (
    PEERS,
    QUICK,
    Cache,
    Cell,
    Contestant,
    Gil,
    Missing,
    Report,
    Row,
    SuiteResult,
    UnavailableError,
    Workshop,
)
from epsilon.foreign.ext.perf.bench.building import compiler

#: The benchmark compares every backend in any case. What builds its peers runs once, with the preferred backend.
_NAMED = os.environ.get("EPSILON_FOREIGN_BACKEND")
_ONCE = ["test_building.py", "test_callbacks_suite.py", "test_command.py", "test_suites.py", "test_timing.py"]
collect_ignore = _ONCE if _NAMED and available_backends()[0] != _NAMED else []


def pytest_report_header() -> str | None:
    """Say what is left out."""
    return f"{', '.join(collect_ignore)}: run with {available_backends()[0]}" if collect_ignore else None


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop with an empty cache; skips visibly where nothing can be compiled."""
    try:
        compiler.find("CC")
    except UnavailableError as error:
        pytest.skip(str(error))
    return Workshop(Cache(tmp_path_factory.mktemp("cache")), QUICK)


def row(name: str, **nanoseconds: float) -> Row:
    """A row with exact numbers; a key is a peer's with underscores for dashes, the lock is held."""
    cells = {
        Contestant(PEERS[key.replace("_", "-")], Gil.HELD): Cell(value, value, value, 1)
        for key, value in nanoseconds.items()
    }
    return Row(name, f"long {name}(const char *, …) & more", "ns", cells)


@pytest.fixture
def report() -> Report:
    """Two calls: in one we take half the time of hand-written C, in the other twice as long."""
    rows = [row("add", ours_trampoline=10.0, c=20.0, ctypes=500.0), row("mix", ours_trampoline=40.0, c=20.0)]
    environment = {"python": "CPython 3.13.0", "system": "Linux", "processor": "A < B", "compiler": "cc"}
    made = Report(environment, "quick", PEERS["ours-trampoline"])
    made.suites.append(SuiteResult("calls", "One call", rows, headline=True))
    made.missing.append(Missing("calls", "nanobind/held", "", "nanobind is not installed"))
    return made


@pytest.fixture(scope="session")
def cache_root(workshop: Workshop) -> Path:
    """The folder that the session's builds go to."""
    return workshop.cache.root
