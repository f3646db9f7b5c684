"""Giving every declaration its name in Python, once, when a header is parsed.

C has a name space for tags beside the one for everything else, and a third for macros; Python has one. The rules:

1. `rename` decides where it names a C name (a tag as ``struct stat``, or plainly where nothing else has its name).
2. Otherwise the longest prefix of `strip_prefix` is taken off, and keywords get a ``_`` behind them.
3. On a clash the first of these keeps the name: functions, variables, typedefs, tags, constants, macros. Tags become
   ``struct_stat``, ``union_x``, ``enum_y``; constants and all others get a ``_`` behind them; macros have no name.
   A typedef for the tag of its own name is no clash: they are one type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..ir import (
    Declaration,
    Enum,
    Enumerator,
    EnumName,
    Function,
    Macro,
    Record,
    RecordName,
    Typedef,
    Unsupported,
    Variable,
)
from ..values import replace
from .identifiers import identifier, stripped

_PRECEDENCE = (Function, Variable, Typedef, Record, Enum, Macro, Unsupported)


def assign_names(
    declarations: Iterable[Declaration], strip_prefix: tuple[str, ...], rename: Mapping[str, str]
) -> list[Declaration]:
    """The declarations with their `python_name`, which is empty where the C name serves."""
    return _Assignment(strip_prefix, rename).run(list(declarations))


class _Assignment:
    def __init__(self, prefixes: tuple[str, ...], rename: Mapping[str, str]) -> None:
        self.prefixes = prefixes
        self.rename = rename
        self.taken: dict[str, object] = {}

    def run(self, declarations: list[Declaration]) -> list[Declaration]:
        names: dict[int, str] = {}
        for kind in _PRECEDENCE:
            for index, declaration in enumerate(declarations):
                if isinstance(declaration, kind):
                    names[index] = self.name(declaration)
        made = [_named(declaration, names[index]) for index, declaration in enumerate(declarations)]
        return [self.with_constants(d) if isinstance(d, Enum) else d for d in made]

    def name(self, declaration: Declaration) -> str:
        identity: object = declaration.type if isinstance(declaration, (Record, Enum)) else declaration
        if isinstance(declaration, Typedef) and isinstance(declaration.type, (RecordName, EnumName)):
            identity = declaration.type if declaration.type.name == declaration.name else declaration
        wanted = self.wanted(declaration)
        if self.taken.get(wanted, identity) == identity:
            self.taken[wanted] = identity
            return wanted
        if isinstance(declaration, Macro):
            return wanted  # hidden by what has its name
        if isinstance(declaration, (Record, Enum)):
            word = "enum" if isinstance(declaration, Enum) else "union" if declaration.union else "struct"
            wanted = f"{word}_{wanted}"
        return self.free(wanted, identity)

    def wanted(self, declaration: Declaration) -> str:
        renamed = self.rename.get(declaration.name)
        if isinstance(declaration, (Record, Enum)) and declaration.c_name:
            renamed = self.rename.get(declaration.c_name, renamed)
        return identifier(renamed or stripped(declaration.name, self.prefixes))

    def free(self, name: str, identity: object) -> str:
        while name in self.taken:
            name += "_"
        self.taken[name] = identity
        return name

    def with_constants(self, enum: Enum) -> Enum:
        return replace(enum, enumerators=tuple([self.constant(each) for each in enum.enumerators]))

    def constant(self, each: Enumerator) -> Enumerator:
        wanted = identifier(self.rename.get(each.name) or stripped(each.name, self.prefixes))
        holder = self.taken.get(wanted)
        # A macro may repeat a constant's name, as glibc's do, and gives way to it.
        if holder is None or isinstance(holder, Macro):
            self.taken[wanted] = each
        else:
            wanted = self.free(wanted, each)
        return each if wanted == each.name else replace(each, python_name=wanted)


def _named(declaration: Declaration, name: str) -> Declaration:
    return declaration if name == declaration.name else replace(declaration, python_name=name)
