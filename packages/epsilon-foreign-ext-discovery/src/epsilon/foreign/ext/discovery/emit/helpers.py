"""The names that generated code uses for itself, moved out of the way of the header's."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

#: Decorators that are the library's own when the module runs. mypy makes constructors only of functions' decorators.
DECORATORS = ("struct", "union")
#: Helper -> where it is imported from; with a dot in front it is a module, and empty means no import at all.
_SOURCES = {
    "ffi": "epsilon.foreign.api",
    "c": "epsilon.foreign.api c",
    "enum": "enum",
    "Final": "typing Final",
    "Literal": "typing Literal",
    "TypeAlias": "typing TypeAlias",
    "lib": "",
    "struct": "epsilon.foreign.api struct",
    "union": "epsilon.foreign.api union",
    "object": "builtins object",
}
_FOR_CHECKERS = ("Final", "Literal", "TypeAlias", *DECORATORS)


class Helpers:
    """Gives each helper a name that the header leaves free, and notes which are used."""

    def __init__(self, taken: AbstractSet[str]) -> None:
        self._taken = taken
        self._used: dict[str, str] = {}

    def __getitem__(self, helper: str) -> str:
        name = self._used.get(helper)
        if name is None:
            name = helper
            while name in self._taken:
                name = "_" + name
            self._used[helper] = name
        return name

    def fresh(self, name: str) -> str:
        """A private name for something else, that nobody has."""
        made = "_" + name.lstrip("_")
        while made in self._taken or made in self._used.values():
            made += "_"
        self._used[f"fresh {name}"] = made
        return made

    def decorators(self) -> dict[str, str]:
        """The names of those of `DECORATORS` that are used."""
        return {helper: self._used[helper] for helper in DECORATORS if helper in self._used}

    def imports(self) -> tuple[list[str], list[str]]:
        """Import statements: those for every run, and those for type checkers alone; only what was used."""
        always: list[str] = []
        checkers: list[str] = []
        for helper, source in _SOURCES.items():
            name = self._used.get(helper)
            if name is None or not source or (helper == "object" and name == helper):
                continue
            # `Literal` by another name is looked up when annotations are evaluated; by its own the api knows it.
            only = helper in _FOR_CHECKERS and not (helper == "Literal" and name != helper)
            (checkers if only else always).append(_import(source, name))
        return sorted(always, key=_isort), sorted(checkers, key=_isort)


def _import(source: str, name: str) -> str:
    module, _, member = source.partition(" ")
    if member:
        return f"from {module} import {member}" + (f" as {name}" if name != member else "")
    return f"import {module}" + (f" as {name}" if name != module else "")


def _isort(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement
