"""Trees of C declarations: what is declared, and its text in C."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from epsilon.foreign import backend as abi
from epsilon.foreign.backend import AbiType

#: Enumerations of the prelude, with the type that gcc and clang give them.
ENUMS: dict[str, AbiType] = {
    "enum plain": abi.C_TYPES["unsigned int"],
    "enum negative": abi.C_TYPES["int"],
}

#: Every scalar that a member may have, by its name in C.
SCALARS: dict[str, AbiType] = {
    **{
        name: abi.C_TYPES[name]
        for sign in ("signed", "unsigned")
        for name in (f"{sign} char", f"{sign} short", f"{sign} int", f"{sign} long", f"{sign} long long")
        if name in abi.C_TYPES
    },
    **{name: abi.C_TYPES[name] for name in ("short", "int", "long", "long long", "size_t")},
    **ENUMS,
    "_Bool": abi.BOOL,
    "float": abi.FLOAT,
    "double": abi.DOUBLE,
    "long double": abi.LONGDOUBLE,
    "float complex": abi.COMPLEX_FLOAT,
    "double complex": abi.COMPLEX_DOUBLE,
    "void *": abi.POINTER,
}

PRELUDE = """#include <complex.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
enum plain { PLAIN_A, PLAIN_B = 7 };
enum negative { NEGATIVE_A = -1, NEGATIVE_B = 7 };
"""


@dataclass(frozen=True)
class Declared:
    """One member: ``type name[dimensions]``, ``type name : bits`` or ``type name[]``.

    A nameless one is an unnamed bit-field, or an anonymous struct or union written inside its parent.
    """

    name: str | None
    type: str | Aggregate
    dimensions: tuple[int, ...] = ()
    bits: int | None = None
    flexible: bool = False
    align: int | None = None

    @property
    def count(self) -> int:
        """The number of elements in all dimensions."""
        count = 1
        for dimension in self.dimensions:
            count *= dimension
        return count


@dataclass(frozen=True)
class Aggregate:
    """A struct or union: ``#pragma pack(pack)``, ``__attribute__((packed))`` and ``((aligned(align)))``
    around it.
    """

    name: str
    keyword: str
    members: tuple[Declared, ...]
    pack: int | None = None
    packed: bool = False
    align: int | None = None

    @property
    def is_union(self) -> bool:
        """A union, not a struct."""
        return self.keyword == "union"


def parts(type: Aggregate) -> Iterator[Aggregate]:
    """`type` after every aggregate inside it that needs a definition of its own."""
    for member in type.members:
        if isinstance(member.type, Aggregate):
            inner = list(parts(member.type))
            yield from inner if member.name is not None else inner[:-1]
    yield type


def definitions(type: Aggregate) -> str:
    """The C text that defines `type` and what it consists of, each as a typedef."""
    return "".join(map(_definition, parts(type)))


def _definition(type: Aggregate) -> str:
    text = f"typedef {_body(type)} {type.name};\n"
    if type.pack is None:
        return text
    return f"#pragma pack(push, {type.pack})\n{text}#pragma pack(pop)\n"


def _body(type: Aggregate) -> str:
    attributes = "__attribute__((packed)) " if type.packed else ""
    if type.align is not None:
        attributes += f"__attribute__((aligned({type.align}))) "
    return f"{type.keyword} {attributes}{{ {' '.join(map(_member, type.members))} }}"


def _member(member: Declared) -> str:
    base = member.type
    if isinstance(base, Aggregate):
        base = _body(base) if member.name is None else base.name
    tail = "".join(f"[{dimension}]" for dimension in member.dimensions)
    if member.flexible:
        tail = "[]" + tail
    if member.bits is not None:
        tail = f" : {member.bits}"
    if member.align is not None:
        tail += f" __attribute__((aligned({member.align})))"
    return f"{base} {member.name or ''}{tail};"
