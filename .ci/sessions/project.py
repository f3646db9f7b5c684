"""The packages of the repository, read from their own pyproject files, in layer order.

Nothing is listed twice: a new folder below ``packages/`` joins every session by its metadata alone
(https://packaging.python.org/en/latest/specifications/pyproject-toml/).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INTEGRATION = ROOT / "tests-integration"
FAMILY = "epsilon-foreign-"


@dataclass(frozen=True)
class Package:
    """One distribution of the repository, by its folder."""

    folder: Path

    @cached_property
    def project(self) -> dict[str, Any]:
        """The ``[project]`` table."""
        table: dict[str, Any] = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        return table

    @property
    def name(self) -> str:
        """The distribution's name: ``epsilon-foreign-ext-perf``."""
        return str(self.project["name"])

    @property
    def label(self) -> str:
        """The name without what all have in common: ``ext-perf``."""
        return self.name.removeprefix(FAMILY)

    @property
    def module(self) -> str:
        """The import name: ``epsilon.foreign.ext.perf``."""
        return "epsilon.foreign." + self.label.replace("-", ".")

    @property
    def source(self) -> Path:
        """The folder of the import package."""
        return self.folder.joinpath("src", *self.module.split("."))

    @property
    def needs(self) -> list[str]:
        """The distributions of this repository that it depends on directly."""
        names = (
            re.split(r"[^\w-]", requirement, maxsplit=1)[0] for requirement in self.project["dependencies"]
        )
        return [name for name in names if name.startswith(FAMILY)]

    @property
    def extras(self) -> set[str]:
        """The extras it offers."""
        return set(self.project.get("optional-dependencies", {}))

    def having(self, extras: Iterable[str]) -> str:
        """Those of `extras` that it offers, in brackets; nothing when it offers none."""
        offered = ",".join(extra for extra in extras if extra in self.extras)
        return f"[{offered}]" if offered else ""

    def requirement(self, *extras: str) -> str:
        """What asks an installer for this folder, with those of `extras` that it offers."""
        return f"{self.folder}{self.having(extras)}"


def _in_layer_order() -> dict[str, Package]:
    found = [Package(path.parent) for path in sorted(ROOT.glob("packages/*/pyproject.toml"))]
    by_name = {package.name: package for package in found}
    order = TopologicalSorter({package.name: package.needs for package in found}).static_order()
    return {name: by_name[name] for name in order}


#: Every package by name, each after those it depends on.
PACKAGES = _in_layer_order()


def below(package: Package) -> list[Package]:
    """The packages it stands on, directly or not, in layer order."""
    wanted: set[str] = set()
    pending = list(package.needs)
    while pending:
        name = pending.pop()
        wanted.add(name)
        pending += PACKAGES[name].needs
    return [PACKAGES[name] for name in PACKAGES if name in wanted]
