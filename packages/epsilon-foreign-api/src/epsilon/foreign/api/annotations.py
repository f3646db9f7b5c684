"""What qualifies a C type in an annotation: constness, direction, ownership, bits.

To a type checker each is the type it qualifies (`typing.Annotated` ignores the rest), so ``Bits[c.uint, 3]``
is an int and ``Const[c.int]`` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Annotated, TypeAlias, TypeVar

    T = TypeVar("T")

    Anonymous: TypeAlias = Annotated[T, "anonymous"]
    Bits = Annotated
    Const: TypeAlias = Annotated[T, "const"]
    InOut: TypeAlias = Annotated[T, "inout"]
    Out: TypeAlias = Annotated[T, "out"]
    Owned = Annotated
else:
    from epsilon.foreign.runtime import Anonymous, Bits, Const, InOut, Out, Owned

__all__ = ["Anonymous", "Bits", "Const", "InOut", "Out", "Owned"]
