"""Declaring structs, unions and enums with annotated classes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from epsilon.foreign.runtime import DeferredStruct, declare, declare_enum, make_aggregate

if TYPE_CHECKING:
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[T], T]:
        """For type checkers only: `typing` need not be asked at run time."""
        return lambda function: function


T = TypeVar("T")


@overload
@dataclass_transform(eq_default=True)
def struct(cls: type[T], /) -> type[T]: ...


@overload
@dataclass_transform(eq_default=True)
def struct(
    *, pack: int | None = None, align: int | None = None, packed: bool = False
) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(eq_default=True)
def struct(
    cls: Any = None, /, *, pack: int | None = None, align: int | None = None, packed: bool = False
) -> Any:
    """Declare a C struct: decorate a class whose annotations are its members, in order.

    The class gets a constructor of its members by position or keyword, `repr`, ``==`` and attributes. A value
    assigned to a member is its default; methods and properties are kept. `pack` is ``#pragma pack(n)``,
    `align` is ``_Alignas(n)`` on the type, both in bytes; `packed` is ``__attribute__((packed))``, which unlike
    ``pack=1`` leaves a member the alignment that `Aligned` asks for. A class without annotations is opaque: only its
    name is known. Raises DeclarationError for members that C has no meaning for, LayoutError for numbers out
    of range.
    """
    return _declare(cls, union=False, pack=pack, align=align, packed=packed)


@overload
@dataclass_transform(eq_default=True, kw_only_default=True)
def union(cls: type[T], /) -> type[T]: ...


@overload
@dataclass_transform(eq_default=True, kw_only_default=True)
def union(
    *, pack: int | None = None, align: int | None = None, packed: bool = False
) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(eq_default=True, kw_only_default=True)
def union(
    cls: Any = None, /, *, pack: int | None = None, align: int | None = None, packed: bool = False
) -> Any:
    """Declare a C union, as `struct` does a struct. The constructor takes one member at most."""
    return _declare(cls, union=True, pack=pack, align=align, packed=packed)


def _declare(cls: Any, **options: Any) -> Any:
    # Two frames up is where the decorator is written: its local names may be in annotations that are text.
    scope = dict(sys._getframe(2).f_locals)

    def decorate(decorated: type) -> Any:
        return declare(decorated, scope=scope, **options)

    return decorate if cls is None else decorate(cls)


def make_struct(
    name: str,
    members: Mapping[str, Any] | None,
    *,
    pack: int | None = None,
    align: int | None = None,
    packed: bool = False,
    module: str | None = None,
    doc: str | None = None,
) -> Any:
    """A struct class from a mapping of member names to C types; None makes an opaque one. Raises as `struct`
    does."""
    return make_aggregate(name, members, pack=pack, align=align, packed=packed, module=module, doc=doc)


def make_union(
    name: str,
    members: Mapping[str, Any] | None,
    *,
    pack: int | None = None,
    align: int | None = None,
    packed: bool = False,
    module: str | None = None,
    doc: str | None = None,
) -> Any:
    """A union class from a mapping of member names to C types; None makes an opaque one."""
    return make_aggregate(
        name, members, union=True, pack=pack, align=align, packed=packed, module=module, doc=doc
    )


def defer_struct(
    name: str,
    members: Callable[[], Mapping[str, Any] | None],
    *,
    union: bool = False,
    pack: int | None = None,
    align: int | None = None,
    packed: bool = False,
    module: str | None = None,
    doc: str | None = None,
) -> DeferredStruct:
    """A struct, or a union, whose members `members` tells when they are first needed: structs may refer to each
    other in any order, and those that nobody uses cost nothing.

    What it returns can be used as a type at once; its attribute `cls` is the class. What `members` and `make_struct`
    raise reaches whoever needed the struct.
    """

    def make(row: DeferredStruct) -> None:
        make_aggregate(
            name,
            members(),
            union=union,
            pack=pack,
            align=align,
            packed=packed,
            module=module,
            doc=doc,
            row=row,
        )

    return DeferredStruct(name, make, union=union)


def opaque(name: str) -> Any:
    """A struct of which only the name is known, as a class: ``FILE = opaque("FILE")``."""
    return make_aggregate(name, None)


@overload
def enum(cls: type[T], /) -> type[T]: ...


@overload
def enum(*, base: Any) -> Callable[[type[T]], type[T]]: ...


def enum(cls: Any = None, /, *, base: Any = None) -> Any:
    """Decorate an IntEnum or IntFlag to state the integer type that C has it in: ``@enum(base=c.uint8)``.

    Enums whose type is `int` (or `unsigned int` where a value needs it) can be used without. Raises
    DeclarationError.
    """
    return declare_enum(cls, base=base)
