"""nanobind without CMake: its sources, which the wheel carries, compiled once, and the bindings linked to
them.

Flags are those that nanobind documents for other build systems (the comment that opens its nb_combined.cpp).
"""

from __future__ import annotations

import importlib.util
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from ..contestant import UnavailableError
from . import compiler
from .cache import Built, Cache


def _home() -> Path:
    spec = importlib.util.find_spec("nanobind")
    if spec is None or spec.origin is None:
        raise UnavailableError("nanobind is not installed")
    return Path(spec.origin).parent


def _flags(home: Path) -> list[str]:
    threads = ["-DNB_FREE_THREADED"] if sysconfig.get_config_var("Py_GIL_DISABLED") else []
    return [
        "-std=c++17", "-fvisibility=hidden", "-fPIC", "-DNDEBUG", "-DNB_COMPACT_ASSERTIONS", *threads,
        *compiler.includes(), f"-I{home / 'include'}", f"-I{home / 'ext' / 'robin_map' / 'include'}",
    ]  # fmt: skip


def _core(cache: Cache, home: Path) -> Path:
    """nanobind's own object file, shared by all modules."""
    source = home / "src" / "nb_combined.cpp"
    command = [
        *compiler.find("CXX"), str(source), *_flags(home), "-O3", "-fno-strict-aliasing",
        "-ffunction-sections", "-fdata-sections", "-c", "-o", "nanobind.o",
    ]  # fmt: skip
    sources = sorted(path.read_text() for path in source.parent.glob("*.cpp"))
    built = cache.build("nanobind", [*command, *sources], lambda folder: compiler.run(command, folder))
    return built.folder / "nanobind.o"


def build(
    cache: Cache, name: str, source: str, libraries: Sequence[Path], defines: Sequence[str] = ()
) -> Built:
    """Compile and link the module `name`. Raises UnavailableError."""
    home = _home()
    core = _core(cache, home)
    # -Os is what nanobind's CMake functions choose for bindings.
    compile_command = [
        *compiler.find("CXX"), f"{name}.cpp", *_flags(home), *(f"-D{define}" for define in defines),
        "-Os", "-fno-stack-protector", "-c", "-o", "module.o",
    ]  # fmt: skip
    link_command = [
        *compiler.find("CXX"), "-shared", "-Wl,-s", "-Wl,--gc-sections", "module.o", str(core),
        "-o", name + compiler.suffix(), *compiler.link_flags(libraries),
    ]  # fmt: skip

    def make(folder: Path) -> None:
        (folder / f"{name}.cpp").write_text(source)
        compiler.run(compile_command, folder)
        compiler.run(link_command, folder)

    return cache.build(name, [source, *compile_command, *link_command], make)
