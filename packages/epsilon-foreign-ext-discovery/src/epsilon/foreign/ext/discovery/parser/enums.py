"""Describing enums."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..ir import Enum, Enumerator, Scalar
from . import kinds
from .types import unqualified

if TYPE_CHECKING:
    from .types import TypeReader

#: ``enum name : type {``; the text up to the brace has no other colon but C++'s pairs of them.
_BASED = re.compile(rb"(?<!:):(?!:)")


class EnumReader:
    """Describes the enums of one unit."""

    def __init__(self, types: TypeReader) -> None:
        self.types = types
        self.unit = types.unit
        self.clang = types.clang
        self.tags = types.tags

    def read(self, declaration: Any) -> Enum:
        """The enum of a declaration; incomplete when the unit has no definition of it."""
        clang = self.clang
        name = self.tags.name(declaration)
        common: dict[str, Any] = {
            "anonymous": name in self.tags.anonymous,
            "typedef": name in self.tags.typedefs,
        }
        definition = clang.clang_getCursorDefinition(declaration)
        if definition.kind != kinds.ENUM:
            return Enum(name, Scalar("unsigned int"), complete=False, **common)
        base = unqualified(self.types.read(clang.clang_getEnumDeclIntegerType(definition)))
        canonical = clang.clang_getCanonicalType(clang.clang_getEnumDeclIntegerType(definition))
        signed = canonical.kind in (13, 14, 16, 17, 18, 19)
        value = (
            clang.clang_getEnumConstantDeclValue if signed else clang.clang_getEnumConstantDeclUnsignedValue
        )
        enumerators = tuple(
            [
                Enumerator(self.unit.spelling(child), value(child), self.types.docs.member(child))
                for child in self.unit.children(definition)
                if child.kind == kinds.ENUMERATOR
            ]
        )
        return Enum(
            name,
            base,
            enumerators,
            fixed=self._is_fixed(definition),
            doc=self.types.docs.declaration(definition),
            **common,
        )

    def _is_fixed(self, definition: Any) -> bool:
        file, start, end = self.unit.extent(definition)
        head = self.unit.contents(file)[start:end].partition(b"{")[0] if file else b""
        return bool(_BASED.search(head))
