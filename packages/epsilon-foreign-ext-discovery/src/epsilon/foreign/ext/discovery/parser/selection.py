"""Which declarations are kept: those allowed and not blocked, and what they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from ..file.checks import contained, names_in, types_of
from ..ir import CType, Declaration, Enum, Record, Typedef, TypedefName
from ..values import replace


def select(
    declarations: Iterable[Declaration], allow: Sequence[str], block: Sequence[str]
) -> list[Declaration]:
    """The declarations that match a pattern of `allow` (all, when there is none) and none of `block`.

    An enum is allowed with any of its constants. Types that the others name stay as dependencies; of a blocked record
    that is only pointed to, the name alone.
    """
    found = list(declarations)
    if not allow and not block:
        return found
    by_name = {_key(d): d for d in found if _key(d) is not None}
    chosen = {id(d) for d in found if not d.dependency and _is_chosen(d, allow, block)}
    needed: set[int] = set()
    whole: set[int] = set()
    pending: list[tuple[Declaration, bool]] = [(d, True) for d in found if id(d) in chosen]
    while pending:
        declaration, by_value = pending.pop()
        known = whole if by_value else needed
        if id(declaration) in known or (not by_value and id(declaration) in whole):
            continue
        known.add(id(declaration))
        if isinstance(declaration, Record) and not by_value and _is_blocked(declaration, block):
            continue
        for type in types_of(declaration):
            inside = contained(type)
            pending += [(by_name[name], name in inside) for name in names_in(type)]
    return [
        _kept(d, id(d) in chosen, id(d) in whole, block)
        for d in found
        if id(d) in chosen or id(d) in needed or id(d) in whole
    ]


def _kept(declaration: Declaration, chosen: bool, whole: bool, block: Sequence[str]) -> Declaration:
    if chosen:
        return declaration
    if isinstance(declaration, Record) and not whole and _is_blocked(declaration, block):
        return Record(
            declaration.name,
            declaration.union,
            complete=False,
            anonymous=declaration.anonymous,
            typedef=declaration.typedef,
            dependency=True,
            position=declaration.position,
        )
    return replace(declaration, dependency=True)


def _key(declaration: Declaration) -> CType | None:
    if isinstance(declaration, (Record, Enum)):
        return declaration.type
    return TypedefName(declaration.name) if isinstance(declaration, Typedef) else None


def _names(declaration: Declaration) -> list[str]:
    names = [declaration.name]
    if isinstance(declaration, Enum):
        names += [each.name for each in declaration.enumerators]
    return names


def _is_chosen(declaration: Declaration, allow: Sequence[str], block: Sequence[str]) -> bool:
    if _is_blocked(declaration, block):
        return False
    return not allow or any(fnmatchcase(name, p) for name in _names(declaration) for p in allow)


def _is_blocked(declaration: Declaration, block: Sequence[str]) -> bool:
    return any(fnmatchcase(declaration.name, pattern) for pattern in block)
