"""What the tests share: the backend under test, a compiler for C sources, and what runs on one backend only.

EPSILON_FOREIGN_BACKEND names the backend under test. Much of this package does not depend on it: tests marked
`once` run with the first available backend and say so on the others.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from epsilon.foreign.api import available_backends

# What several files here share; pytest puts no folder of tests on sys.path.
sys.path.insert(0, str(Path(__file__).with_name("support")))

_NAMED = os.environ.get("EPSILON_FOREIGN_BACKEND")
_FIRST = available_backends()[0]
Compile = Callable[..., Path]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "once: does not depend on the backend; runs with the first one only")


def pytest_report_header() -> str:
    return f"backend under test: {_NAMED or 'chosen per signature'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, by name, what another backend's run covers."""
    if not _NAMED or _NAMED == _FIRST:
        return
    for item in items:
        if item.get_closest_marker("once"):
            item.add_marker(pytest.mark.skip(reason=f"does not depend on the backend: run with {_FIRST}"))


@pytest.fixture(scope="session")
def compile_library(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compile a C source (text) into a shared library: ``compile_library(source, file_name, *options)``.

    `folder` says where; a folder of its own otherwise. Skips, by name, where there is no compiler.
    """
    compiler = shutil.which(os.environ.get("CC", "cc"))

    def compiled(
        source: str, file_name: str = "libtested.so", *options: str, folder: Path | None = None
    ) -> Path:
        if compiler is None:
            pytest.skip("no C compiler (cc, or CC in the environment)")
        folder = folder or tmp_path_factory.mktemp("library")
        text = folder / f"{file_name}.c"
        text.write_text(source, encoding="utf-8")
        out = folder / file_name
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(out), str(text), *options]
        subprocess.run(command, check=True)
        return out

    return compiled


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Run Python source in an interpreter of its own, which must succeed and be silent on stderr: its output."""

    def run(source: str, *arguments: str, cwd: Path | None = None) -> str:
        command = [sys.executable, "-c", source, *arguments]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0 and not done.stderr, f"status {done.returncode}: {done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def in_child() -> Callable[[Callable[[], int]], int]:
    """Run a function in a forked child: its result (0 to 255), or the negative number of the signal that ended it."""

    def in_child(work: Callable[[], int]) -> int:
        pid = os.fork()
        if pid == 0:
            status = 255
            faulthandler.disable()  # the child's end is what is tested
            try:
                status = work()
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return in_child


@pytest.fixture(scope="session")
def crashes(compile_library: Compile) -> str:
    """The path of the library of crashes.c: everything that foreign code can do wrong."""
    source = Path(__file__).with_name("crashes.c").read_text(encoding="utf-8")
    return str(compile_library(source, "libcrashes.so", "-pthread"))


@pytest.fixture(scope="session")
def isolated_library(compile_library: Compile) -> str:
    """The path of the library of isolated.c."""
    source = Path(__file__).with_name("isolated.c").read_text(encoding="utf-8")
    return str(compile_library(source, "libisolated.so", "-pthread"))
