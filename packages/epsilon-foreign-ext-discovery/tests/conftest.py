"""What the tests share: headers and libraries made on the spot, and a cache of their own.

What a header declares does not depend on the backend: those tests run once, with the preferred one.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from epsilon.foreign.api import available_backends
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery import ir

_NAMED = os.environ.get("EPSILON_FOREIGN_BACKEND")
_EVERY = {"test_live.py"}
collect_ignore = (
    sorted(path.name for path in Path(__file__).parent.glob("test_*.py") if path.name not in _EVERY)
    if _NAMED and available_backends()[0] != _NAMED
    else []
)


def pytest_report_header() -> str | None:
    """Say what is left out."""
    return f"{', '.join(collect_ignore)}: run with {available_backends()[0]}" if collect_ignore else None


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that no other run has written to."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EPSILON_FOREIGN_CACHE", str(folder))
        yield folder / "discovery"


@pytest.fixture
def header(tmp_path: Path) -> Callable[..., Path]:
    """Write a header, ``made.h`` unless another name is given."""

    def write(text: str | bytes, name: str = "made.h") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def parse(header: Callable[..., Path]) -> Callable[..., ir.Binding]:
    """Parse the text of a header."""

    def parse(text: str | bytes, **options: Any) -> ir.Binding:
        return discovery.parse(header(text), cache=False, **options)

    return parse


@pytest.fixture
def declared(parse: Callable[..., ir.Binding]) -> Callable[..., dict[str, Any]]:
    """Parse the text of a header, and give its declarations by name."""

    def declared(text: str | bytes, **options: Any) -> dict[str, Any]:
        return {d.name: d for d in parse(text, **options).declarations}

    return declared


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str], Path]:
    """Compile C into a shared library."""
    compiler = shutil.which("cc")

    def compiled(source: str) -> Path:
        if compiler is None:
            pytest.skip("no C compiler (cc)")
        path = tmp_path / "libcompiled.so"
        (tmp_path / "compiled.c").write_text(source)
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-o", str(path), str(tmp_path / "compiled.c")],
            check=True,
            capture_output=True,
        )
        return path

    return compiled


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Write source to a file and import it."""
    names: list[str] = []

    def load(source: str) -> ModuleType:
        name = f"generated_{len(names)}_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in names:
        del sys.modules[name]


@pytest.fixture(scope="session")
def formatted() -> Callable[[str], bool]:
    """Would ruff leave a source as it is?"""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")

    def formatted(source: str) -> bool:
        if ruff is None:
            pytest.skip("ruff is not installed (the extra 'test' has it)")
        command = [ruff, "format", "--isolated", "--diff", "-"]
        done = subprocess.run(command, input=source, capture_output=True, text=True, encoding="utf-8")
        print(done.stdout, done.stderr)
        return done.returncode == 0

    return formatted
