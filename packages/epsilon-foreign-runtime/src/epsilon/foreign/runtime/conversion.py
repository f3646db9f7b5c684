"""Structs as Python's own data: dictionaries, tuples, changed copies."""

from __future__ import annotations

import copy
from typing import Any

from epsilon.foreign.backend import expected

from .arrays import Array
from .structs import Struct, unknown_member


def _struct(value: Any) -> Struct:
    if not isinstance(value, Struct):
        raise expected("a struct or union", value)
    return value


def asdict(value: Any) -> dict[str, Any]:
    """The members of a struct by name: structs in it as dictionaries, arrays as lists, arrays of `char` as
    bytes.

    Pointers stay pointers. Raises ArgumentTypeError for anything but a struct or union.
    """
    value = _struct(value)
    return {name: _plain(getattr(value, name), asdict) for name in value.__foreign_type__.names}


def astuple(value: Any) -> tuple[Any, ...]:
    """The members of a struct in order: structs in it as tuples, arrays as lists, arrays of `char` as bytes.

    Pointers stay pointers. Raises ArgumentTypeError for anything but a struct or union.
    """
    value = _struct(value)
    return tuple(_plain(getattr(value, name), astuple) for name in value.__foreign_type__.names)


def _plain(value: Any, convert: Any) -> Any:
    if isinstance(value, Struct):
        return convert(value)
    if isinstance(value, Array):
        if value.target().name in ("char", "wchar"):
            return value.value
        return [_plain(item, convert) for item in value]
    return value


def replace(value: Any, **changes: Any) -> Any:
    """A copy of a struct with other values for some members. Raises ArgumentTypeError for unknown ones."""
    row = _struct(value).__foreign_type__
    for name in changes:
        if name not in row.fields:
            raise unknown_member(row, name)
    made = copy.copy(value)
    for name, change in changes.items():
        row.fields[name].put(made, change)
    return made
