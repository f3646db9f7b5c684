"""From a translation unit to declarations: which are taken, what else they need, and in which order they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..ir import (
    CType,
    Declaration,
    Enum,
    EnumName,
    Function,
    Position,
    Record,
    RecordName,
    Typedef,
    TypedefName,
    Unsupported,
)
from ..values import replace
from . import kinds
from .enums import EnumReader
from .files import Files
from .functions import FunctionReader
from .macros import Definition, definition
from .names import TagNames
from .records import RecordReader
from .types import TypeReader
from .unit import Unit, pointer_of

_TAGS = (kinds.STRUCT, kinds.UNION, kinds.ENUM)
_CONTAINERS = (kinds.LINKAGE_SPEC, kinds.UNEXPOSED_DECL)
_LEAVES = (kinds.FUNCTION, kinds.VARIABLE)
_INCLUSION = 503


class HeaderReader:
    """Reads the declarations of the own files of a unit, and all that they name."""

    def __init__(self, unit: Unit, files: Files, *, cplusplus: bool, unnamed_bits_align: bool) -> None:
        self.unit = unit
        self.clang = unit.clang
        self.files = files
        self.cplusplus = cplusplus
        self.tags = TagNames(unit, cplusplus)
        self.types = TypeReader(unit, self.tags)
        self.records = RecordReader(self.types, unnamed_bits_align)
        self.enums = EnumReader(self.types)
        self.functions = FunctionReader(self.types)
        self.macros: dict[str, Definition] = {}
        #: Declarations by kind and name, with their place in the order of the text.
        self._found: dict[tuple[type, str], tuple[tuple[int, ...], Declaration]] = {}
        self._order: dict[int, int] = {}
        self._count = 0
        self._here: tuple[int, ...] = (0,)
        #: Where own declarations without a doc end: the file and the line.
        self._ends: dict[tuple[type, str], tuple[int, int]] = {}

    def read(self) -> list[Declaration]:
        """All declarations but macros, in an order in which whatever has a size stands before what contains it."""
        children = self.unit.children()
        self._preprocessing(children)
        own = list(self._own(children))
        for _, cursor in own:
            if cursor.kind == kinds.TYPEDEF:
                self._typedef_names_tag(cursor)
        for place, cursor in own:
            self._here = (place,)
            self._declaration(cursor)
        self._dependencies()
        self._document()
        return [declaration for _, declaration in sorted(self._found.values(), key=lambda found: found[0])]

    def _preprocessing(self, children: list[Any]) -> None:
        """Inclusions, which say what is own, before the macros of own files."""
        clang, unit = self.clang, self.unit
        definitions = []
        for cursor in children:
            if cursor.kind == _INCLUSION:
                file, start, end = unit.extent(cursor)
                quoted = (
                    b'"' in unit.contents(file)[start:end] if file and self.files.get(file).own else False
                )
                self.files.include(file, quoted, int(clang.clang_getIncludedFile(cursor)))
            elif cursor.kind == kinds.MACRO_DEFINITION:
                definitions.append(cursor)
        for cursor in definitions:
            file, line, column, _ = unit.place(clang.clang_getCursorLocation(cursor))
            found = self.files.get(file)
            if found.own:
                name = unit.spelling(cursor)
                _, start, end = unit.extent(cursor)
                like_function = bool(clang.clang_Cursor_isMacroFunctionLike(cursor))
                source = unit.contents(file)[start:end]
                made = definition(name, source, like_function, Position(found.name, line, column))
                self.macros[name] = made

    def _own(self, children: list[Any]) -> Iterator[tuple[int, Any]]:
        """The declarations of own files, with their numbers; those inside of ``extern "C" { }`` too."""
        clang, unit = self.clang, self.unit
        for cursor in children:
            kind = cursor.kind
            if kind >= 500:
                continue
            if kind in _CONTAINERS:
                yield from self._own(unit.children(cursor))
                continue
            self._count += 1
            if kind not in _LEAVES:  # others may be referred to, or have something inside
                self._order.setdefault(pointer_of(cursor), self._count)
            file = unit.place(clang.clang_getCursorLocation(cursor))[0]
            if self.files.get(file).own:
                yield self._count, cursor

    def _typedef_names_tag(self, cursor: Any) -> None:
        """Let the name of a tag be known before its members are looked at."""
        underlying = self.clang.clang_getTypedefDeclUnderlyingType(cursor)
        if underlying.kind in (kinds.RECORD, kinds.ENUM_TYPE, kinds.ELABORATED):
            declaration = self.clang.clang_getTypeDeclaration(underlying)
            if declaration.kind in _TAGS:
                self.tags.name(declaration)

    def _declaration(self, cursor: Any) -> None:
        kind = cursor.kind
        if kind in _TAGS:
            self._tag(cursor)
        elif kind in (kinds.TYPEDEF, kinds.TYPE_ALIAS):
            self._typedef(cursor)
        elif kind == kinds.FUNCTION:
            self._keep(self.functions.function(cursor), cursor)
        elif kind == kinds.VARIABLE:
            self._keep(self.functions.variable(cursor), cursor)
        elif kind in kinds.CXX_DECLARATIONS:
            word = kinds.CXX_DECLARATIONS[kind]
            name = re.sub(r"\W+", "_", self.unit.spelling(cursor)) or "_"
            self._keep(Unsupported(name, word, f"a {word} of C++ has no C interface"), cursor)

    def _tag(self, cursor: Any) -> None:
        name = self.tags.name(cursor)
        found = self._found.get((Record, name)) if cursor.kind != kinds.ENUM else None
        if found is not None and found[1].complete:  # type: ignore[union-attr]  # a Record
            return
        read = self.enums.read(cursor) if cursor.kind == kinds.ENUM else self.records.read(cursor)
        self._keep(read, self._definition(cursor))

    def _definition(self, cursor: Any) -> Any:
        found = self.clang.clang_getCursorDefinition(cursor)
        return found if found.kind == cursor.kind else cursor

    def _typedef(self, cursor: Any) -> None:
        name = self.unit.spelling(cursor)
        underlying = self.clang.clang_getTypedefDeclUnderlyingType(cursor)
        if self.tags.made_for(name, underlying) is not None:
            return
        doc = self.types.docs.declaration(cursor)
        self._keep(Typedef(name, self.types.read(underlying), doc=doc), cursor)

    def _keep(self, declaration: Declaration, cursor: Any) -> None:
        """Note a declaration. Of several of one thing the first counts, with what later ones add."""
        key = (type(declaration), declaration.name)
        file, line, column, _ = self.unit.place(self.clang.clang_getCursorLocation(cursor))
        found = self.files.get(file)
        place = Position(found.name, line, column) if found.name else None
        declaration = replace(declaration, position=place, dependency=not found.own)
        before = self._found.get(key)
        if before is not None:
            declaration = _merged(before[1], declaration)
        if found.own and not isinstance(declaration, Unsupported) and not declaration.doc:
            end = self.clang.clang_getRangeEnd(self.clang.clang_getCursorExtent(cursor))
            self._ends[key] = self.unit.place(end)[:2]
        order = self._place(cursor) if isinstance(declaration, Record) else self._here
        self._found[key] = (order if before is None else before[0], declaration)

    def _document(self) -> None:
        """Give declarations without a doc the comment right below them."""
        for key, (file, line) in self._ends.items():
            order, declaration = self._found[key]
            doc = self.types.docs.below(file, line)
            if doc and not isinstance(declaration, Unsupported) and not declaration.doc:
                self._found[key] = (order, replace(declaration, doc=doc))

    def _place(self, cursor: Any) -> tuple[int, ...]:
        """Where a record stands: a nested one before the one around it."""
        own = self._order.get(pointer_of(cursor))
        if own is not None:
            return (own,)
        _, _, end = self.unit.extent(cursor)
        parent = cursor
        while True:
            parent = self.clang.clang_getCursorLexicalParent(parent)
            number = pointer_of(parent)
            if number in self._order:
                # A shorter tuple sorts first, so what is nested comes a little before.
                return (self._order[number] - 1, 1, end)
            if parent.kind not in _TAGS:
                return (self._here[0] - 1, 1, end)

    def _dependencies(self) -> None:
        """Describe what is named and was not described, until nothing is missing."""
        done: set[CType] = set()
        while True:
            pending = [(name, cursor) for name, cursor in self.types.wanted.items() if name not in done]
            if not pending:
                return
            for name, cursor in pending:
                done.add(name)
                self._here = (self._order.get(pointer_of(cursor), -1),)
                self._dependency(name, cursor)

    def _dependency(self, name: CType, cursor: Any) -> None:
        if isinstance(name, TypedefName):
            if (Typedef, name.name) not in self._found:
                self._typedef(cursor)
        elif isinstance(name, (RecordName, EnumName)):
            kind = Enum if isinstance(name, EnumName) else Record
            if (kind, name.name) not in self._found:
                self._tag(cursor)


def _merged(first: Declaration, second: Declaration) -> Declaration:
    """One declaration of two, in the order of the text."""
    if isinstance(first, Function) and isinstance(second, Function):
        best = second if second.prototyped and not first.prototyped else first
        if any(not p.name for p in best.parameters) and all(p.name for p in second.parameters):
            best = replace(best, parameters=second.parameters)
        return replace(
            best,
            doc=first.doc or second.doc,
            symbol=first.symbol or second.symbol,
            uncallable=first.uncallable or second.uncallable,
            deprecated=first.deprecated or second.deprecated,
        )
    if isinstance(first, Record) and isinstance(second, Record):
        better = second if second.complete and not first.complete else first
        return replace(better, doc=better.doc or first.doc or second.doc)
    if isinstance(first, Unsupported) or isinstance(second, Unsupported) or first.doc:
        return first
    return replace(first, doc=second.doc)
