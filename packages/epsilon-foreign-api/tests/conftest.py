"""Fixtures of the api layer's tests: the backend under test. The functions called are those of libc and libm.

A test with the fixture `backend` runs once for each available backend, or for the one that
EPSILON_FOREIGN_BACKEND names; that backend is preferred while the test runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import epsilon.foreign.api as ffi
import pytest

ENVIRONMENT = "EPSILON_FOREIGN_BACKEND"


def backends_under_test() -> list[str]:
    """The one that the environment names, else all that work here."""
    named = os.environ.get(ENVIRONMENT)
    return [named] if named else ffi.available_backends()


def pytest_report_header() -> str:
    return f"backends under test: {', '.join(backends_under_test())}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses `backend`, directly or through another fixture, once a backend."""
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", backends_under_test(), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the backend under test, which is preferred during the test."""
    with ffi.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable chose what is tested; the tests themselves start without a preference."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture
def libc(backend: str) -> ffi.Library:
    """The functions of the process: all of the C library's."""
    return ffi.Library(None)


@pytest.fixture
def libm(backend: str) -> ffi.Library:
    """The C library's mathematics."""
    return ffi.Library("m")
