"""What qualifies a C type in an annotation: constness, direction, ownership, bits, alignment.

To a type checker each is the type it qualifies (`typing.Annotated` ignores the rest), so ``Bits[c.uint, 3]`` is an
int and ``Const[c.int]`` too.
"""

from typing import Annotated, TypeAlias, TypeVar
from typing import Annotated as Aligned
from typing import Annotated as Bits
from typing import Annotated as Owned

_T = TypeVar("_T")

Anonymous: TypeAlias = Annotated[_T, "anonymous"]
Const: TypeAlias = Annotated[_T, "const"]
InOut: TypeAlias = Annotated[_T, "inout"]
Out: TypeAlias = Annotated[_T, "out"]

__all__ = ["Aligned", "Anonymous", "Bits", "Const", "InOut", "Out", "Owned"]
