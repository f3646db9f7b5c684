"""What qualifies a C type in an annotation: constness, direction, ownership, bits, alignment.

Some differ for type checkers only: a parameter that C declares ``point *`` takes a `point`, an array of them, or a
pointer, and `ByRef` says so, where ``Pointer[point]`` would let a checker refuse all but the last.
"""

from __future__ import annotations

from typing import Any

from epsilon.foreign.runtime import Aligned, Anonymous, Bits, Const, Flexible, InOut, Out, Owned, Pointer

__all__ = [
    "Aligned",
    "Anonymous",
    "AnyConstPointer",
    "AnyPointer",
    "Bits",
    "ByRef",
    "Const",
    "Elements",
    "Flexible",
    "InOut",
    "Nullable",
    "Out",
    "Owned",
]


class ByRef:
    """``ByRef[point]``: a parameter ``point *``. It is ``Pointer[point]``; to checkers what lends one, or None."""

    def __class_getitem__(cls, annotation: Any) -> Any:
        return Pointer[annotation]


class Elements:
    """``Elements[c.int]``: a parameter ``int *``. It is ``Pointer[c.int]``; to checkers what has such elements: a
    pointer, an array, a buffer, or None."""

    def __class_getitem__(cls, annotation: Any) -> Any:
        return Pointer[annotation]


class Nullable:
    """``Nullable[Callback[[], None]]``: a function pointer that may be NULL. It is the type itself; to checkers None
    is one of its values."""

    def __class_getitem__(cls, annotation: Any) -> Any:
        return annotation


#: A parameter ``void *``, and ``const void *``: whatever has memory. To checkers they are Any.
AnyPointer = Pointer
AnyConstPointer = Pointer[Const[None]]
