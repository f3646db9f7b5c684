"""Variables that a library exports."""

from __future__ import annotations

from ..values import dataclass
from .position import Position
from .types import CType


@dataclass(frozen=True, slots=True)
class Variable:
    """``extern type name``; `symbol` as a `Function` has it. A variable of a thread's own is `uncallable`."""

    name: str
    type: CType
    symbol: str = ""
    uncallable: str = ""
    doc: str = ""
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None
