"""Enums."""

from __future__ import annotations

from ..values import dataclass
from .position import Position
from .types import CType, EnumName


@dataclass(frozen=True, slots=True)
class Enumerator:
    """One constant of an enum."""

    name: str
    value: int
    doc: str = ""
    python_name: str = ""


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum. Its numbers are of the integer type `base`: the compiler's choice, or, when `fixed`, the header's.

    One without a tag is named as a `Record` without one is, by its first constant.
    """

    name: str
    base: CType
    enumerators: tuple[Enumerator, ...] = ()
    complete: bool = True
    fixed: bool = False
    anonymous: bool = False
    typedef: bool = False
    doc: str = ""
    python_name: str = ""
    dependency: bool = False
    position: Position | None = None

    @property
    def type(self) -> EnumName:
        """The type that refers to it."""
        return EnumName(self.name)

    @property
    def is_plain(self) -> bool:
        """Is it but a list of constants, ``enum { A, B };``? They are plain integers then, and it is no class."""
        return self.anonymous and self.name.startswith("@")

    @property
    def c_name(self) -> str | None:
        """How C names it: ``enum colour``, or its typedef's name; None when it cannot."""
        if self.anonymous:
            return None
        return self.name if self.typedef else f"enum {self.name}"
