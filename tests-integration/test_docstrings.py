"""Everything public says what it is: names in ``__all__``, and the public members of classes."""

from __future__ import annotations

import enum
import importlib
import inspect
import types
from collections.abc import Iterator

import pytest

PACKAGES = (
    "epsilon.foreign.backend",
    "epsilon.foreign.runtime",
    "epsilon.foreign.api",
    "epsilon.foreign.ext.platform",
)


def documented_things(package: str) -> Iterator[tuple[str, object]]:
    """Every public class, function and module, and the members of classes, under the name to report."""
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, (type, types.FunctionType, types.ModuleType)):
            yield f"{package}.{name}", value
        if isinstance(value, type):
            yield from members(f"{package}.{name}", value)


def members(label: str, cls: type) -> Iterator[tuple[str, object]]:
    """The methods and properties that a class itself defines, without private and special ones."""
    for name, value in vars(cls).items():
        function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if not name.startswith("_") and isinstance(function, (types.FunctionType, property)):
            yield f"{label}.{name}", function


def says_nothing(thing: object) -> bool:
    """Has it no docstring of its own, that is one that its class or Python did not give it?"""
    doc = inspect.getdoc(thing) if not isinstance(thing, type) else thing.__dict__.get("__doc__")
    generated = isinstance(thing, type) and issubclass(thing, enum.Enum) and doc == "An enumeration."
    return not doc or generated or (isinstance(thing, type) and doc.startswith(f"{thing.__name__}("))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_and_method_has_a_docstring(package: str) -> None:
    things = list(documented_things(package))
    assert len(things) > 40
    assert [label for label, thing in things if says_nothing(thing)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_all_lists_is_there_sorted_and_once(package: str) -> None:
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_can_raise_our_errors_says_which(package: str) -> None:
    """A public function whose own code raises names at least one error in its docstring."""
    module = importlib.import_module(package)
    silent = []
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, types.FunctionType) and "\n    raise " in inspect.getsource(value):
            doc = value.__doc__ or ""
            if "aise" not in doc and "Error" not in doc:
                silent.append(name)
    assert silent == []
