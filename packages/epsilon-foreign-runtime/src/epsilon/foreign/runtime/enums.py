"""Enums: any IntEnum or IntFlag is a C type, and a number that no member has still comes through."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import ArgumentTypeError, integer, type_name

from .errors import DeclarationError
from .types import TYPES, ForeignType, add_resolver, resolve_type


class UnknownEnumValue(int):
    """A number that C gave for an enum that has no such member: an int that shows which enum it was for."""

    enum: type[enum.IntEnum]

    def __new__(cls, value: int, enum: Any) -> UnknownEnumValue:
        made = super().__new__(cls, value)
        made.enum = enum
        return made

    def __repr__(self) -> str:
        return f"<{self.enum.__name__}: {int(self)}, no member>"

    def __reduce__(self) -> Any:
        return (UnknownEnumValue, (int(self), self.enum))


def enum_type(cls: Any, base: Any = None) -> ForeignType:
    """The row of an enum class.

    Its numbers are those of `base`, by default `int`, or `unsigned int` where a member needs it (as gcc
    chooses). Raises DeclarationError when the base is no integer type, or cannot hold every member.
    """
    if not (isinstance(cls, type) and issubclass(cls, enum.Enum) and issubclass(cls, int)):
        raise DeclarationError(
            f"{type_name(cls) if not isinstance(cls, type) else cls.__name__} is no IntEnum or IntFlag"
        )
    values: list[int] = [int(member) for member in cls]
    row = resolve_type(base) if base is not None else _default_base(values)
    if not row.abi.is_integer:
        raise DeclarationError(f"{cls.__name__}: the base of an enum is an integer type, not {row.name}")
    low, high = row.abi.bounds
    wrong = [member for member in cls if not low <= int(member) <= high]
    if wrong:
        raise DeclarationError(
            f"{cls.__name__}.{wrong[0].name} = {int(wrong[0])} does not fit {row.name}; state base="
        )
    check = integer(row.abi, cls.__name__)

    def to_foreign(value: Any) -> int:
        if isinstance(value, enum.Enum) and not isinstance(value, cls):
            raise ArgumentTypeError(f"expected {cls.__name__}, got {type_name(value)}")
        return check(value)  # type: ignore[no-any-return]  # the canonical value of an integer type

    return ForeignType(cls.__name__, row.abi, to_foreign=to_foreign, from_foreign=_finder(cls))


def _finder(cls: Any) -> Callable[[int], Any]:
    members = cls._value2member_map_
    flags = issubclass(cls, enum.Flag)

    def from_foreign(value: int) -> Any:
        found = members.get(value)
        if found is not None:
            return found
        if flags:
            try:
                return cls(value)  # a combination; what is in no member is kept (enum.KEEP) or refused
            except ValueError:
                pass
        return UnknownEnumValue(value, cls)

    return from_foreign


def _default_base(values: list[int]) -> ForeignType:
    low, high = TYPES["int"].abi.bounds
    fits = all(low <= value <= high for value in values)
    return TYPES["int" if fits or min(values) < 0 else "uint"]


def declare_enum(cls: Any = None, *, base: Any = None) -> Any:
    """Decorate an IntEnum or IntFlag to state its C type: ``@enum(base=c.uint8)``. Raises
    DeclarationError."""
    if cls is None:
        return lambda decorated: declare_enum(decorated, base=base)
    row = enum_type(cls, base)
    type.__setattr__(cls, "__foreign_type__", row)
    return cls


def _resolve(annotation: Any) -> ForeignType | None:
    if isinstance(annotation, enum.EnumMeta) and issubclass(annotation, int):
        declare_enum(annotation)
        return annotation.__foreign_type__  # type: ignore[attr-defined, no-any-return]  # set by declare_enum
    return None


add_resolver(_resolve)
