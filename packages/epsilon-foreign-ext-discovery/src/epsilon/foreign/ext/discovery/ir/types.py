"""C types as a header spells them: typedef names are kept, sizes are not looked up.

The vocabulary is that of C11 6.2.5 (https://port70.net/~nsz/c/c11/n1570.html#6.2.5). Every type is immutable and
compared by value; `notation` gives each a short text.
"""

from __future__ import annotations

from typing import TypeAlias

from ..values import dataclass

#: The types that C itself names; whatever else a compiler has is `Opaque`.
SCALARS = frozenset(
    {
        "void",
        "bool",
        "char",
        "signed char",
        "unsigned char",
        "short",
        "unsigned short",
        "int",
        "unsigned int",
        "long",
        "unsigned long",
        "long long",
        "unsigned long long",
        "float",
        "double",
        "long double",
        "float complex",
        "double complex",
    }
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """``int``, ``unsigned long``, ``void`` ...: a name of `SCALARS`."""

    name: str


@dataclass(frozen=True, slots=True)
class TypedefName:
    """A type by its typedef's name; what it stands for is that `Typedef`'s to say."""

    name: str


@dataclass(frozen=True, slots=True)
class RecordName:
    """``struct name`` or ``union name``: the key of a `Record`."""

    name: str
    union: bool = False


@dataclass(frozen=True, slots=True)
class EnumName:
    """``enum name``: the key of an `Enum`."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer to `target`, which may be a `FunctionType`."""

    target: CType


@dataclass(frozen=True, slots=True)
class Array:
    """`count` elements; None where C leaves the number open (a flexible array member, an ``extern int a[]``)."""

    element: CType
    count: int | None


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A function's type.

    `prototyped` is False for ``int f()`` before C23, which says nothing of the parameters. `convention` is
    ``"c"``, or the attribute's name: ``"ms_abi"``, ``"stdcall"``, ``"vectorcall"`` ...
    """

    result: CType
    parameters: tuple[CType, ...]
    variadic: bool = False
    prototyped: bool = True
    convention: str = "c"


@dataclass(frozen=True, slots=True)
class Qualified:
    """A type with at least one qualifier (C11 6.7.3)."""

    type: CType
    const: bool = False
    volatile: bool = False
    restrict: bool = False
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Opaque:
    """A type that has a size and an alignment in bytes but no values in Python, such as a vector.

    `kind` is a key of `OPAQUE_KINDS`; `spelling` is the type as clang writes it.
    """

    kind: str
    size: int
    align: int
    spelling: str


#: Why values of an opaque type do not cross.
OPAQUE_KINDS = {
    "vector": "vector types have no representation in Python",
    "int128": "128-bit integers are not supported",
    "float": "this floating type has no representation in Python",
    "complex": "this complex type has no representation in Python",
    "bitint": "bit-precise integers are not supported",
    "block": "blocks are an extension of clang",
    "other": "this type is not one of C's",
}

CType: TypeAlias = (
    Scalar | TypedefName | RecordName | EnumName | Pointer | Array | FunctionType | Qualified | Opaque
)

VOID = Scalar("void")
