"""Public names are loaded when they are first asked for, and nobody can tell but by the clock."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = (
    "epsilon.foreign.backend",
    "epsilon.foreign.runtime",
    "epsilon.foreign.api",
    "epsilon.foreign.ext.platform",
    "epsilon.foreign.ext.discovery",
)


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(request.param)


def names_for_type_checkers(package: ModuleType) -> dict[str, str]:
    """What the package imports when type checkers read it: name -> module, as the statement has it."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")
    return {
        alias.asname or alias.name: "." * statement.level + (statement.module or "")
        for statement in block.body
        for alias in statement.names
    }


def names_for_python(package: ModuleType) -> dict[str, str]:
    """The table that the package gives `lazy_names`: name -> module."""
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "lazy_names")
    table = ast.literal_eval(call.args[1])
    return {name: module for module, names in table.items() for name in names.split()}


def test_type_checkers_and_python_see_the_same_names(package) -> None:
    assert names_for_type_checkers(package) == names_for_python(package)
    assert set(package.__all__) - set(names_for_python(package)) <= {"__version__", "lazy_names"}


def test_every_public_name_can_be_had_and_is_listed(package) -> None:
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is getattr(package, name)
        assert name in vars(package)  # an ordinary attribute from now on


def test_everything_public_can_be_imported_at_once(package) -> None:
    namespace: dict[str, object] = {}
    exec(f"from {package.__name__} import *", namespace)
    assert set(package.__all__) <= set(namespace)


def test_no_submodule_takes_the_place_of_a_public_object(package) -> None:
    submodules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    for name in submodules & set(package.__all__):
        assert isinstance(getattr(package, name), ModuleType)


def test_a_misspelt_name_is_an_attribute_error_that_names_the_package(package) -> None:
    message = rf"module '{package.__name__}' has no attribute 'Libary'"
    with pytest.raises(AttributeError, match=message) as raised:
        _ = package.Libary
    assert (raised.value.name, raised.value.obj) == ("Libary", package)
    with pytest.raises(ImportError, match="cannot import name 'Libary'"):
        exec(f"from {package.__name__} import Libary")


def test_the_type_table_is_full_whoever_asks_first(run_python) -> None:
    program = "from epsilon.foreign.runtime import {0}; print({1})"
    for name, expression in {
        "TYPES": "TYPES['int'].size",
        "lookup_type": "lookup_type('int').size",
        "sizeof, TYPES": "sizeof(TYPES['int'])",
        "scalars, TYPES": "TYPES['int'].size",
    }.items():
        done = run_python("-c", program.format(name, expression))
        assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr


def test_enums_and_function_types_are_known_before_anything_else_was_asked_for(run_python) -> None:
    program = """
import collections.abc, enum
from epsilon.foreign.runtime import resolve_type
class Colour(enum.IntEnum):
    RED = 1
print(resolve_type(Colour).size)
"""
    done = run_python("-c", program)
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr
