"""Names of members, parameters and constants of an enum, which need only be unique among themselves."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from ..ir import CType, Enum, Function, Qualified, Record
from .identifiers import identifier

#: What the api takes for unnamed bits.
_UNNAMED = re.compile(r"_\d*\Z")
#: What an enum class has itself.
_ENUM = frozenset({"mro", "name", "value", "_missing_", "_ignore_", "_order_", "_generate_next_value_"})


def member_names(record: Record) -> tuple[str, ...]:
    """The members' names in order: ``_``, ``_1`` ... for unnamed bits, ``anonymous_0`` ... for anonymous members."""
    own = {field.name for field in record.fields}
    made: list[str] = []
    bits = 0
    for field in record.fields:
        if field.name:
            name = _free(_member(field.name), made)
        elif field.bits is not None:
            name, bits = f"_{bits or ''}", bits + 1
        else:
            name = _free(_anonymous(field.type), own)
        made.append(name)
    return tuple(made)


def _anonymous(type: CType) -> str:
    """The name for an anonymous member, of the numbers in its type's (``outer.@1.@0``).

    Its members belong to the record around it, too, the anonymous among them included: so they are numbered through.
    """
    while isinstance(type, Qualified):
        type = type.type
    return "_".join(["anonymous", *re.findall(r"@(\d+)", getattr(type, "name", ""))])


def _member(name: str) -> str:
    made = identifier(name)
    if made.startswith("__"):  # which Python would rename inside of a class, and checkers refuse
        made = f"_{made.lstrip('_')}"
    if made in _reserved():
        return made.strip("_") + "_"
    return f"member{made}" if _UNNAMED.match(made) else made


@functools.cache
def _reserved() -> frozenset[str]:
    """Attributes that struct objects need for themselves."""
    from epsilon.foreign.api import Struct

    return frozenset(name for name in dir(Struct) if not name.startswith("__"))


def parameter_names(function: Function) -> tuple[str, ...]:
    """The parameters' names; ``arg1`` ... where the header has none."""
    made: list[str] = []
    for position, parameter in enumerate(function.parameters, 1):
        # Two underscores, as the C library has them, would make it positional for type checkers.
        name = parameter.name.lstrip("_") if parameter.name.startswith("__") else parameter.name
        made.append(_free(identifier(name or f"arg{position}"), made))
    return tuple(made)


def enumerator_names(enum: Enum) -> tuple[str, ...]:
    """The constants' names as members of the enum's class."""
    made: list[str] = []
    for each in enum.enumerators:
        name = each.python_name or each.name
        if name.startswith("__"):  # no member to Python
            name = f"_{name.lstrip('_')}"
        if name in _ENUM or hasattr(int, name) or (name.startswith("_") and name.endswith("_")):
            name = identifier(name.strip("_") + "_")
        made.append(_free(name, made))
    return tuple(made)


def _free(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name += "_"
    return name
