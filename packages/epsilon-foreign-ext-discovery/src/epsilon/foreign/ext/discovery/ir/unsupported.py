"""Declarations that cannot be bound, with the reason."""

from __future__ import annotations

from ..values import dataclass
from .position import Position


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A declaration that nothing else here can describe; `kind` is clang's word for it (``function template``)."""

    name: str
    kind: str
    reason: str
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None
