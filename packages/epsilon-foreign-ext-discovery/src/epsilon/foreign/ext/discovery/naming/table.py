"""The names of a binding: what each leads to."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..ir import (
    Binding,
    Declaration,
    Enum,
    Enumerator,
    Function,
    Macro,
    Record,
    Typedef,
    Unsupported,
    Variable,
)


class Constant(NamedTuple):
    """A constant of an enum, by its own name."""

    enum: Enum
    enumerator: Enumerator


Named: TypeAlias = Declaration | Constant


def public_names(binding: Binding) -> dict[str, Named]:
    """What every name leads to, in the order of the declarations.

    Of a typedef and the tag of its own name it is the tag. Macros and declarations that cannot be bound come last, so
    that they hide nothing.
    """
    found: dict[str, Named] = {}
    for declaration in binding.declarations:
        name = declaration.python_name or declaration.name
        if isinstance(declaration, Enum) and declaration.is_plain:
            pass  # only its constants have names
        elif isinstance(declaration, (Function, Variable, Record, Enum)):
            found[name] = declaration
        elif isinstance(declaration, Typedef):
            found.setdefault(name, declaration)
        if isinstance(declaration, Enum):
            for each in declaration.enumerators:
                found[each.python_name or each.name] = Constant(declaration, each)
    for declaration in binding.of(Macro):
        found.setdefault(declaration.python_name or declaration.name, declaration)
    for refused in binding.of(Unsupported):
        found.setdefault(refused.python_name or refused.name, refused)
    return found
