"""Packages whose public names are loaded when they are first asked for (https://peps.python.org/pep-0562/).

Importing all of this project at once costs some 50 ms of processor time, and a program that calls one
function needs neither structs nor callbacks. Each package's ``__init__`` therefore has a table of its names
for Python, and the same names as imports for type checkers. No submodule may have the name of a public
object: importing it would put the module in that object's place.
"""

from __future__ import annotations

import sys
from importlib import import_module

TYPE_CHECKING = False  # as in `typing`, which by itself costs a quarter of what importing everything does
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazy_names(
    package: str, table: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of `package`.

    `table` maps modules, as ``from`` statements have them, to the names that come from them, separated by
    white space; those of ``"."`` are submodules. A name is looked for in its module the first time and is an
    ordinary attribute of the package from then on. Any other name raises AttributeError.
    """
    homes = {name: module for module, names in table.items() for name in names.split()}
    module = sys.modules[package]

    def __getattr__(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=module)
        if home == ".":
            return import_module(f"{package}.{name}")  # which makes it an attribute
        value = getattr(import_module(home, package), name)
        setattr(module, name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(module), *homes})

    return __getattr__, __dir__
