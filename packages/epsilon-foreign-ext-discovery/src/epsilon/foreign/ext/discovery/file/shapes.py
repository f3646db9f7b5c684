"""The members of each declaration in a binding file: the one table that writing, reading and checking share.

Members that have their default are not written, so a later version can add some without changing old files' meaning.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..ir import (
    Enum,
    Enumerator,
    Field,
    Function,
    Macro,
    Parameter,
    ParseOptions,
    Record,
    Target,
    Typedef,
    Unsupported,
    Variable,
)
from ..values import defaults

#: The default of what must be there.
REQUIRED: Any = object()


class Member(NamedTuple):
    """One member: its codec's name (see `codecs`), and what is meant when it is absent."""

    codec: str
    default: Any

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


class Shape(NamedTuple):
    """A class of the IR and its members by name, in the order in which they are written."""

    cls: Any
    members: dict[str, Member]


def _shape(cls: Any, **codecs: str) -> Shape:
    return Shape(
        cls, {name: Member(codec, defaults(cls).get(name, REQUIRED)) for name, codec in codecs.items()}
    )


_TEXTS = "texts"
#: What every declaration may have beside its own.
_COMMON = {"doc": "text", "python_name": "python_name", "dependency": "flag"}
_BRIEF = {"python_name": "python_name", "dependency": "flag"}

FIELD = _shape(
    Field,
    name="member_name",
    type="type",
    offset="size",
    bits="optional_size",
    bit="size",
    aligned="optional_align",
    doc="text",
)
ENUMERATOR = _shape(Enumerator, name="name", value="integer", doc="text", python_name="python_name")
PARAMETER = _shape(Parameter, name="member_name", type="type")

#: By the key that a declaration begins with, whose value is its name.
DECLARATIONS: dict[str, Shape] = {
    "function": _shape(
        Function,
        result="type",
        parameters="parameters",
        variadic="flag",
        prototyped="flag",
        convention="word",
        symbol="symbol",
        uncallable="text",
        deprecated="text",
        noreturn="flag",
        **_COMMON,
    ),
    "record": _shape(
        Record,
        union="flag",
        size="size",
        align="align",
        complete="flag",
        anonymous="flag",
        typedef="flag",
        pack="optional_size",
        packed="flag",
        aligned="optional_align",
        unsupported="text",
        **_COMMON,
        fields="fields",
    ),
    "enum": _shape(
        Enum,
        base="type",
        complete="flag",
        fixed="flag",
        anonymous="flag",
        typedef="flag",
        **_COMMON,
        enumerators="enumerators",
    ),
    "typedef": _shape(Typedef, type="type", **_COMMON),
    "variable": _shape(Variable, type="type", symbol="symbol", uncallable="text", **_COMMON),
    "macro": _shape(
        Macro,
        parameters="macro_parameters",
        value="value",
        type="optional_type",
        alias="optional_name",
        text="text",
        **_COMMON,
    ),
    "unsupported": _shape(Unsupported, kind="text", reason="text", **_BRIEF),
}

KINDS: dict[Any, str] = {shape.cls: kind for kind, shape in DECLARATIONS.items()}

TARGET = _shape(
    Target, arch="text", system="text", environment="text", pointer="size", long="size", wchar="size"
)
OPTIONS = _shape(
    ParseOptions,
    include_dirs=_TEXTS,
    defines=_TEXTS,
    pkg_config=_TEXTS,
    args=_TEXTS,
    language="text",
    standard="text",
    headers=_TEXTS,
    allow=_TEXTS,
    block=_TEXTS,
    strip_prefix=_TEXTS,
    rename="pairs",
)
