"""Fixtures of the backend layer's tests: the backends under test, and the compiled C library that they call.

Every test with the fixture `backend` (or `native`, which binds functions of the C library on it) runs once
for each available backend, or for the one that EPSILON_FOREIGN_BACKEND names. What a backend says it cannot
do is skipped with its name and the capability as the reason.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "support"))

from backend_support.native import Library, Native  # noqa: E402
from epsilon.foreign.backend import (  # noqa: E402
    ENVIRONMENT,
    Backend,
    available_backends,
    get_backend,
    loader,
)

LIBRARY = "EPSILON_FOREIGN_TEST_LIBRARY"


def backends_under_test() -> list[str]:
    """The one that the environment names, else all that work here."""
    named = os.environ.get(ENVIRONMENT)
    return [named] if named else available_backends()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what takes `backend` once a backend."""
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", backends_under_test(), indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Backend:
    """A backend under test."""
    return get_backend(request.param)


@pytest.fixture
def native(backend: Backend, library: Library) -> Native:
    """Binds functions of the C library on the backend under test."""
    return Native(backend, library)


@pytest.fixture(scope="session")
def library_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the C library is, compiled once a session."""
    return os.environ.get(LIBRARY) or str(compiled(tmp_path_factory.mktemp("native")))


@pytest.fixture(scope="session")
def library(library_path: str) -> Library:
    """The C library."""
    return Library(loader.dlopen(library_path))


@pytest.fixture(autouse=True)
def no_preference(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The variable chose what is tested; the tests themselves start without a preference."""
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    yield


def compiled(folder: Path) -> Path:
    """Compile the library into `folder`, or skip."""
    build = _build_script()
    command = build.compiler()
    if command is None:
        pytest.skip(f"no C compiler ({os.environ.get('CC') or 'cc'}) and no {LIBRARY}")
    try:
        out: Path = build.build(folder / "libnative.so", command)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"the C library does not compile:\n{error.stderr}")
    return out


def _build_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("backend_native_build", HERE / "native" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
