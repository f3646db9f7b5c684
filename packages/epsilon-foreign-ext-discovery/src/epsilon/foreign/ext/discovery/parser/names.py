"""Names for tags: their own, their typedef's, or, for those that C cannot name, one made of where they are.

``outer.member`` is the type of a member; ``outer.@0`` that of the first anonymous struct or union in `outer`;
``@RED`` an enum by its first constant, ``@x`` a record by its first member. The same header gives the same names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import kinds
from .unit import pointer_of

if TYPE_CHECKING:
    from .unit import Unit

_TAGS = (kinds.STRUCT, kinds.UNION, kinds.CLASS, kinds.ENUM)


class TagNames:
    """The names of the tags of one unit."""

    def __init__(self, unit: Unit, cplusplus: bool) -> None:
        self.unit = unit
        self.cplusplus = cplusplus
        self.clang = unit.clang
        self._names: dict[int, str] = {}
        self._taken: set[tuple[bool, str]] = set()
        self.anonymous: set[str] = set()
        self.typedefs: set[str] = set()

    def key(self, declaration: Any) -> int:
        """The same number for all declarations of one thing."""
        return pointer_of(self.clang.clang_getCanonicalCursor(declaration))

    def name(self, declaration: Any) -> str:
        """The name of a tag's declaration."""
        key = self.key(declaration)
        found = self._names.get(key)
        if found is None:
            found = self._find(declaration)
            self._names[key] = found
        return found

    def propose(self, declaration: Any, name: str) -> None:
        """Let a tag that C cannot name have this name, if it has none yet."""
        key = self.key(declaration)
        if key not in self._names and self.is_anonymous(declaration):
            self._names[key] = self._unique(declaration, name)

    def is_anonymous(self, declaration: Any) -> bool:
        """Has it neither a tag nor a typedef that it was made for?"""
        spelling = self.unit.spelling(declaration)
        return not spelling or "(" in spelling

    def made_for(self, name: str, underlying: Any) -> Any:
        """The type that the typedef `name` was written together with, as in ``typedef struct { } name``; else None."""
        clang = self.clang
        if underlying.kind not in (kinds.RECORD, kinds.ENUM_TYPE, kinds.ELABORATED):
            return None
        declaration = clang.clang_getTypeDeclaration(underlying)
        if declaration.kind not in _TAGS or clang.clang_isConstQualifiedType(underlying):
            return None
        own = clang.clang_getCursorType(declaration)
        if self.name(declaration) == name and self.name(declaration) in self.typedefs:
            return own
        return None

    def _find(self, declaration: Any) -> str:
        spelling = self.unit.spelling(declaration)
        if spelling and "(" not in spelling:
            if self._has_no_tag(declaration, spelling):
                self.typedefs.add(spelling)
            self._taken.add((declaration.kind == kinds.ENUM, spelling))
            return spelling
        return self._unique(declaration, "@" + self._first(declaration))

    def _has_no_tag(self, declaration: Any, spelling: str) -> bool:
        """Is the name that clang gives it that of its typedef?"""
        unit, clang = self.unit, self.clang
        type = clang.clang_getCursorType(declaration)
        if " " in unit.text(clang.clang_getTypeSpelling(type)):
            return False
        if not self.cplusplus:
            return True
        file, start, end = unit.extent(declaration)
        # C++ does without the keyword. A tag stands before the brace; a typedef's name does not.
        head = unit.contents(file)[start:end].partition(b"{")[0]
        return spelling.encode() not in re.findall(rb"[\w$]+", head)

    def _first(self, declaration: Any) -> str:
        for child in self.unit.children(declaration):
            name = self.unit.spelling(child)
            if name and "(" not in name:
                return name
        return "empty"

    def _unique(self, declaration: Any, name: str) -> str:
        enum = declaration.kind == kinds.ENUM
        made, count = name, 1
        while (enum, made) in self._taken:
            count += 1
            made = f"{name}@{count}"
        self._taken.add((enum, made))
        self.anonymous.add(made)
        return made
