"""``Const[T]``: a T that may be read and not written."""

from __future__ import annotations

from typing import Any

from .types import ForeignType, resolve_type


class Const:
    """``Const[T]``, for what a pointer points to and for struct fields; anywhere else it is T."""

    __slots__ = ("__foreign_type__",)

    __foreign_type__: ForeignType

    def __init__(self, row: ForeignType) -> None:
        self.__foreign_type__ = row

    def __class_getitem__(cls, annotation: Any) -> Const:
        return cls(resolve_type(annotation))

    def __repr__(self) -> str:
        return f"Const[{self.__foreign_type__.name}]"


def const_name(cls: Any) -> str:
    """How messages write the type that a class of pointers points to."""
    return str(cls.__name__).removeprefix("Pointer[").removesuffix("]")
