"""Terms as annotations."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..terms import Alias, Aligned, Anonymous, Array, Bits, C, Callback, Const, Named, Pointer, Term, Void
from .helpers import Helpers
from .layout import Brackets, Expression
from .literals import checked


class Spelling:
    """Spells terms with the helpers' names.

    `aliases` are the names of typedefs that the module has, `opaque` the records of which only the name is known.
    Names that the members of a struct have mean the members inside it; for those the module gets another name, which
    `shadows` collects.
    """

    def __init__(
        self, helpers: Helpers, aliases: AbstractSet[str], opaque: AbstractSet[str] = frozenset()
    ) -> None:
        self.helpers = helpers
        self.aliases = aliases
        self.opaque = opaque
        self.shadows: dict[str, str] = {}
        self._hidden: AbstractSet[str] = frozenset()

    def value(self, term: Term) -> Expression:
        """Where values come out: a result, a member."""
        if isinstance(behind(term), Callback):
            return self._ffi("Nullable", self.plain(term))
        return self.plain(term)

    def parameter(self, term: Term) -> Expression:
        """Where values go in: as wide for type checkers as it is at run time."""
        found = behind(term)
        if isinstance(found, Callback) or self._is_handle(term, found):
            return self._ffi("Nullable", self.plain(term))
        match found:
            case Pointer(Void()):
                return f"{self.helpers['ffi']}.AnyPointer"
            case Pointer(Const(Void())):
                return f"{self.helpers['ffi']}.AnyConstPointer"
            case Pointer(target):
                inner = behind(target.term if isinstance(target, Const) else target)
                record = isinstance(inner, Named) and bool(inner.record)
                return self._ffi("ByRef" if record else "Elements", self.plain(target))
        return self.plain(term)

    def _is_handle(self, term: Term, found: Term) -> bool:
        """Is it a typedef for a pointer to something that only C sees inside? Its name says more than the type."""
        if not (isinstance(term, Alias) and self._has_alias(term) and isinstance(found, Pointer)):
            return False
        target = behind(found.target)
        return isinstance(target, Named) and target.record in self.opaque

    def member(self, term: Term, hidden: AbstractSet[str]) -> Expression:
        """A member of a struct whose members have the names `hidden`."""
        self._hidden = hidden
        try:
            return self.value(term)
        finally:
            self._hidden = frozenset()

    def plain(self, term: Term) -> Expression:
        """The type itself."""
        match term:
            case Void():
                return "None"
            case C(name):
                return f"{self._name(self.helpers['c'])}.{checked(name)}"
            case Named(name):
                return self._name(checked(name))
            case Alias(name, inner):
                return self._name(checked(name)) if self._has_alias(term) else self.plain(inner)
            case Pointer(target):
                return self._ffi("Pointer", self.plain(target))
            case Const(inner):
                return self._ffi("Const", self.plain(inner))
            case Array(element, None):
                return self._ffi("Array", self.plain(element), f"{self._name(self.helpers['ffi'])}.Flexible")
            case Array(element, count):
                return self._ffi(
                    "Array", self.plain(element), Brackets(self.helpers["Literal"], (str(count),))
                )
            case Callback(parameters, result):
                spelled = tuple(self.value(parameter) for parameter in parameters)
                return self._ffi("Callback", Brackets("", spelled), self.value(result))
            case Bits(inner, width):
                return self._ffi("Bits", self.plain(inner), str(int(width)))
            case Anonymous(inner):
                return self._ffi("Anonymous", self.plain(inner))
            case Aligned(inner, align):
                return self._ffi("Aligned", self.value(inner), str(int(align)))

    def _has_alias(self, term: Alias) -> bool:
        return term.name in self.aliases

    def _ffi(self, name: str, *items: Expression) -> Expression:
        return Brackets(f"{self._name(self.helpers['ffi'])}.{name}", items)

    def _name(self, name: str) -> str:
        if name not in self._hidden:
            return name
        if name not in self.shadows:
            self.shadows[name] = self.helpers.fresh(name)
        return self.shadows[name]


def behind(term: Term) -> Term:
    """A term without the names of typedefs in front of it."""
    while isinstance(term, Alias):
        term = term.term
    return term
