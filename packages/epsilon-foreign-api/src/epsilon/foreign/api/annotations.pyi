"""What qualifies a C type in an annotation: constness, direction, ownership, bits, alignment.

To a type checker each is the type it qualifies (`typing.Annotated` ignores the rest), so ``Bits[c.uint, 3]`` is an
int and ``Const[c.int]`` too.
"""

from typing import Annotated, Any, TypeAlias, TypeVar
from typing import Annotated as Aligned
from typing import Annotated as Bits
from typing import Annotated as Owned

from typing_extensions import Buffer

from .containers import Array, Pointer

_T = TypeVar("_T")

Anonymous: TypeAlias = Annotated[_T, "anonymous"]
Const: TypeAlias = Annotated[_T, "const"]
InOut: TypeAlias = Annotated[_T, "inout"]
Out: TypeAlias = Annotated[_T, "out"]
ByRef: TypeAlias = _T | Pointer[_T] | Array[_T] | None
Elements: TypeAlias = Pointer[_T] | Array[_T] | Buffer | None
Flexible: TypeAlias = Any
Nullable: TypeAlias = _T | None
AnyPointer: TypeAlias = Any
AnyConstPointer: TypeAlias = Any

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
