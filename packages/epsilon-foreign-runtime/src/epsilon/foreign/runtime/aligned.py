"""``Aligned[T, n]``: a member that asks for an alignment of its own."""

from __future__ import annotations

from typing import Any

from .arrays import literal
from .errors import DeclarationError
from .layout_checks import check_alignment


class Aligned:
    """``Aligned[c.int, 16]``: a member of a struct or union at a multiple of 16 bytes.

    C writes it ``_Alignas(16)`` or ``__attribute__((aligned(16)))``. It only ever raises an alignment: to lower one,
    pack the struct. What is aligned may be ``Bits``, ``Anonymous`` or ``Const`` of something. Raises LayoutError for a
    number that is no power of two.
    """

    __slots__ = ("align", "annotation")

    def __init__(self, annotation: Any, align: int) -> None:
        self.annotation = annotation
        self.align = align

    def __class_getitem__(cls, parameters: Any) -> Aligned:
        if not isinstance(parameters, tuple) or len(parameters) != 2:
            raise DeclarationError("Aligned[T, n] takes a type and an alignment in bytes")
        annotation, align = parameters[0], literal(parameters[1])
        check_alignment("Aligned", align)
        return cls(annotation, align)

    def __repr__(self) -> str:
        return f"Aligned[{self.annotation!r}, {self.align}]"
