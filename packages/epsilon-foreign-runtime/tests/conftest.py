"""Fixtures of the runtime layer's tests: the backend under test, and a compiled C library.

A test with the fixture `backend` runs once for each available backend, or for the one that
EPSILON_FOREIGN_BACKEND names; that backend is preferred while the test runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from epsilon.foreign.runtime import Library, available_backends, use_backend

ENVIRONMENT = "EPSILON_FOREIGN_BACKEND"
SOURCE = Path(__file__).resolve().parent / "native" / "functions.c"


def backends_under_test() -> list[str]:
    """The one that the environment names, else all that work here."""
    named = os.environ.get(ENVIRONMENT)
    return [named] if named else available_backends()


def pytest_report_header() -> str:
    return f"backends under test: {', '.join(backends_under_test())}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses `backend`, directly or through another fixture, once a backend."""
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", backends_under_test(), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the backend under test, which is preferred during the test."""
    with use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def no_preference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable chose what is tested; the tests themselves start without a preference."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture(scope="session")
def compile_library(tmp_path_factory: pytest.TempPathFactory):
    """Compile a C source (a path, or text) into a shared library of a file name; skips without a compiler."""
    compiler = shutil.which(os.environ.get("CC", "cc"))

    def compile(source: Path | str, file_name: str = "libfunctions.so", folder: Path | None = None) -> Path:
        if compiler is None:
            pytest.skip("no C compiler (cc, or CC in the environment)")
        folder = folder or tmp_path_factory.mktemp("library")
        if isinstance(source, str):
            text, source = source, folder / "source.c"
            source.write_text(text, encoding="utf-8")
        out = folder / file_name
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(out), str(source)]
        subprocess.run(command, check=True)
        return out

    return compile


@pytest.fixture(scope="session")
def library_path(compile_library) -> Path:
    """The compiled ``native/functions.c``."""
    return compile_library(SOURCE)


@pytest.fixture
def library(backend: str, library_path: Path) -> Library:
    """``native/functions.c``, opened while the backend under test is preferred."""
    return Library(library_path)


@pytest.fixture(scope="session")
def callbacks_path(compile_library) -> Path:
    """The compiled ``native/callbacks.c``."""
    return compile_library(SOURCE.with_name("callbacks.c"), "libcallbacks.so")


@pytest.fixture
def callbacks(backend: str, callbacks_path: Path) -> Library:
    """``native/callbacks.c``, opened while the backend under test is preferred."""
    return Library(callbacks_path)
