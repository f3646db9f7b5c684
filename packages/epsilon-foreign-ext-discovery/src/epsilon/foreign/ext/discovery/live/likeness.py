"""What makes two records, or two enums, the same type: their own declarations and all that these name."""

from __future__ import annotations

from typing import Any

from .. import ir
from ..file.checks import Name, names_in, types_of
from ..terms import Lowering
from ..values import replace


class Likeness:
    """Keys for the records and enums of one binding; equal keys, in any binding, mean one type."""

    def __init__(self, lowering: Lowering) -> None:
        self.lowering = lowering
        self._bare: dict[Name, tuple[Any, frozenset[Name]]] = {}

    def record(self, name: str) -> Any:
        """The key of a record."""
        return self._key(self.lowering.records[name].type)

    def enum(self, name: str) -> Any:
        """The key of an enum."""
        return self._key(ir.EnumName(name))

    def _key(self, start: Name) -> Any:
        found: dict[Name, Any] = {}
        pending = [start]
        while pending:
            name = pending.pop()
            if name not in found:
                bare, named = self._declaration(name)
                found[name] = bare
                pending.extend(named)
        return (start, frozenset(found.values()))

    def _declaration(self, name: Name) -> tuple[Any, frozenset[Name]]:
        """A declaration without what does not matter, and the names in it."""
        made = self._bare.get(name)
        if made is None:
            declaration: Any
            if isinstance(name, ir.RecordName):
                declaration = self.lowering.records[name.name]
            elif isinstance(name, ir.EnumName):
                declaration = self.lowering.enums[name.name]
            else:
                declaration = self.lowering.typedefs[name.name]
            named = frozenset(n for type in types_of(declaration) for n in names_in(type))
            made = self._bare[name] = (replace(declaration, position=None, dependency=False), named)
        return made
