"""One place that setups ask for compiled things; each method is a kind of build, cached."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ..effort import DEFAULT, Effort
from . import cffi_module, compiler, cython_module, nanobind_module
from .cache import Built, Cache


class Workshop:
    """Builds libraries and extension modules in a cache, and tells setups how much effort the run makes."""

    def __init__(self, cache: Cache | None = None, effort: Effort = DEFAULT) -> None:
        self.cache = cache or Cache()
        self.effort = effort

    def library(self, name: str, source: str, optimise: str = "-O2") -> Path:
        """Compile C into a shared library and return its path. Raises UnavailableError."""
        command = [*compiler.find("CC"), "-shared", "-fPIC", optimise, "-o", f"lib{name}.so", f"{name}.c"]

        def make(folder: Path) -> None:
            (folder / f"{name}.c").write_text(source)
            compiler.run(command, folder)

        return self.cache.build(name, [source, *command], make).folder / f"lib{name}.so"

    def c_extension(
        self,
        name: str,
        source: str,
        libraries: Sequence[Path] = (),
        defines: Sequence[str] = (),
        optimise: str = "-O3",
    ) -> Built:
        """Compile a hand-written extension module called `name`. Raises UnavailableError."""
        flags = [*compiler.extension_flags(), optimise, "-Wl,-s", *(f"-D{define}" for define in defines)]
        command = [
            *compiler.find("CC"), f"{name}.c", *flags, "-o", name + compiler.suffix(),
            *compiler.link_flags(libraries),
        ]  # fmt: skip

        def make(folder: Path) -> None:
            (folder / f"{name}.c").write_text(source)
            compiler.run(command, folder)

        return self.cache.build(name, [source, *command], make)

    def nanobind(
        self, name: str, source: str, libraries: Sequence[Path] = (), defines: Sequence[str] = ()
    ) -> Built:
        """Compile a nanobind module called `name`. Raises UnavailableError."""
        return nanobind_module.build(self.cache, name, source, libraries, defines)

    def cython(self, name: str, source: str, libraries: Sequence[Path] = (), optimise: str = "-O3") -> Built:
        """Translate and compile a Cython module called `name`. Raises UnavailableError."""
        return cython_module.build(self.cache, name, source, libraries, optimise)

    def cffi(self, name: str, declarations: str, source: str, libraries: Sequence[Path] = ()) -> Built:
        """Compile a cffi API-mode module called `name`. Raises UnavailableError."""
        return cffi_module.build(self.cache, name, declarations, source, libraries)


def load(name: str, built: Built) -> ModuleType:
    """Import the extension module `name` from where it was built, without touching ``sys.path``.

    An extension that keeps its state per process can be loaded only once under its name: the module that is
    already there is returned then.
    """
    path = module_path(name, built)
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module


def module_path(name: str, built: Built) -> Path:
    """The extension's file."""
    return built.folder / (name + compiler.suffix())
