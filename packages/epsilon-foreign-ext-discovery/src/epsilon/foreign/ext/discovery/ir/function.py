"""Functions that a header declares."""

from __future__ import annotations

from ..values import dataclass
from .position import Position
from .types import CType, FunctionType


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `name` is empty where the header gives none. Arrays are pointers here, as in C."""

    name: str
    type: CType


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    `symbol` is the name that the library exports it under, where that is not `name`. `uncallable` says why it
    cannot be called at all (a ``static inline`` function is in no library), and is empty otherwise.
    `deprecated` is the header's message, or ``"deprecated"``. `python_name` is its name in a binding where
    that is not `name`.
    """

    name: str
    result: CType
    parameters: tuple[Parameter, ...] = ()
    variadic: bool = False
    prototyped: bool = True
    convention: str = "c"
    symbol: str = ""
    uncallable: str = ""
    deprecated: str = ""
    noreturn: bool = False
    doc: str = ""
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None

    @property
    def type(self) -> FunctionType:
        """Its type, without the parameters' names."""
        return FunctionType(
            self.result,
            tuple(p.type for p in self.parameters),
            self.variadic,
            self.prototyped,
            self.convention,
        )
