"""Typedefs."""

from __future__ import annotations

from ..values import dataclass
from .position import Position
from .types import CType


@dataclass(frozen=True, slots=True)
class Typedef:
    """``typedef type name``."""

    name: str
    type: CType
    doc: str = ""
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None
