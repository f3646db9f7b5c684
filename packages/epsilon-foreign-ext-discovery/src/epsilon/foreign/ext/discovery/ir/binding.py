"""The whole of what a header was found to declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, TypeVar

from ..values import dataclass
from .enumeration import Enum
from .function import Function
from .macro import Macro
from .options import ParseOptions
from .record import Record
from .target import Target
from .typedef import Typedef
from .unsupported import Unsupported
from .variable import Variable

#: The version of this form. A file of another one is refused.
VERSION = 1

Declaration: TypeAlias = Function | Record | Enum | Typedef | Variable | Macro | Unsupported
D = TypeVar("D", bound=Declaration)


@dataclass(frozen=True)
class Binding:
    """What one or more headers declare, in the order of their text; immutable.

    It is closed: every record, enum and typedef that a declaration here names is here, those of other libraries'
    headers marked as a `dependency`. `headers` are the names it was parsed from, as one includes them; `parser`
    is libclang's version.
    """

    headers: tuple[str, ...]
    target: Target
    options: ParseOptions
    declarations: tuple[Declaration, ...]
    parser: str = ""

    def of(self, kind: type[D]) -> Iterator[D]:
        """The declarations of one kind, in order."""
        return (d for d in self.declarations if isinstance(d, kind))

    @property
    def functions(self) -> tuple[Function, ...]:
        """All functions, uncallable ones included."""
        return tuple(self.of(Function))

    @property
    def records(self) -> dict[str, Record]:
        """Structs and unions by name."""
        return {r.name: r for r in self.of(Record)}

    @property
    def enums(self) -> dict[str, Enum]:
        """Enums by name."""
        return {e.name: e for e in self.of(Enum)}

    @property
    def typedefs(self) -> dict[str, Typedef]:
        """Typedefs by name."""
        return {t.name: t for t in self.of(Typedef)}
