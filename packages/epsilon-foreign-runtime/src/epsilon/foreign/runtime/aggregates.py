"""Declaring structs and unions: from a Python class's annotations, or from a table of members, to a class.

The layout is `layout.lay_out`'s. Each member becomes an attribute (`fields.make_descriptor`); the members of
an anonymous struct or union become attributes of the one around it too, as in C11 6.7.2.1p13.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from epsilon.foreign.backend import Kind, aggregate, type_name, with_storage

from . import debug
from .accessors import constructor_base, install_members
from .aligned import Aligned
from .arrays import ArrayType
from .bits import Bits
from .const import Const
from .errors import DeclarationError
from .fields import Field, make_descriptor
from .layout import Layout, Member, Placed, lay_out
from .members import StructType, holds_pointer
from .objects import Data
from .structs import INLINE, Struct
from .types import ForeignType, resolve_type

#: Attributes that data objects need for themselves.
RESERVED = frozenset(name for name in dir(Data) if not name.startswith("__"))
_UNNAMED = re.compile(r"_\d*\Z")


class Anonymous:
    """``Anonymous[inner]``: a member of a struct or union type whose members belong to the one around it as
    well."""

    __slots__ = ("row",)

    def __init__(self, row: ForeignType) -> None:
        self.row = row

    def __class_getitem__(cls, annotation: Any) -> Anonymous:
        row = resolve_type(annotation)
        if not isinstance(row, StructType):
            raise DeclarationError(f"Anonymous[{row.name}]: only a struct or a union may be anonymous")
        return cls(row)

    def __repr__(self) -> str:
        return f"Anonymous[{self.row.name}]"


class Flexible(NamedTuple):
    """The array at the end of a struct, which has as many elements as there is memory for."""

    element: ForeignType
    offset: int

    def extent(self, size: int, count: int) -> int:
        """Bytes that a struct of `size` bytes takes with `count` elements. Raises LayoutError."""
        from .arrays import checked_count

        return max(size, self.offset + checked_count(count, self.element) * self.element.size)


class _Declared(NamedTuple):
    """One member as it was written: `name` is None for unnamed bits."""

    name: str | None
    row: ForeignType
    bits: Bits | None
    readonly: bool
    anonymous: bool
    align: int | None = None


class _Options(NamedTuple):
    """What is asked of the whole layout; see `layout.lay_out`."""

    pack: int | None = None
    align: int | None = None
    packed: bool = False


def declare(
    cls: type,
    *,
    union: bool = False,
    pack: int | None = None,
    align: int | None = None,
    packed: bool = False,
    scope: Mapping[str, Any] | None = None,
    row: StructType | None = None,
) -> Any:
    """The struct or union class that an annotated Python class declares.

    Members are the annotations in order; a value assigned to one is its default. Methods, properties and the
    docstring are kept. A class without annotations is opaque: only pointers to it can be used. A class
    derived from a struct begins with that struct's members. `scope` are names for annotations that are text;
    `row` is the row to complete, where there is one already.

    Raises DeclarationError, LayoutError.
    """
    if not isinstance(cls, type):
        raise DeclarationError(f"expected a class with annotations, got {type_name(cls)}")
    row = row or StructType(cls.__name__, union=union)
    bases = tuple(base for base in cls.__bases__ if base is not object)
    annotations = _annotations(cls, row, scope or {})
    body = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__", "__slots__")}
    row.defaults = {name: body.pop(name) for name in annotations if name in body}
    return _build(row, annotations, body, bases, _Options(pack, align, packed))


def make_aggregate(
    name: str,
    members: Mapping[str, Any] | None,
    *,
    union: bool = False,
    pack: int | None = None,
    align: int | None = None,
    packed: bool = False,
    module: str | None = None,
    doc: str | None = None,
    row: StructType | None = None,
) -> Any:
    """A struct or union class from a mapping of names to types; None for `members` makes an opaque one.

    `row` is the row to complete, where there is one already.
    """
    row = row or StructType(name, union=union)
    body = {"__module__": module or __name__, "__doc__": doc, "__qualname__": name}
    found = None if members is None else {member: _own(type, row) for member, type in members.items()}
    options = _Options(pack, align, packed)
    return _build(row, {} if found is None else found, body, (), options, opaque=found is None)


def _own(annotation: Any, row: StructType) -> Any:
    # Pointer["node"] inside node: the name need not exist anywhere else.
    if isinstance(annotation, Aligned):
        return Aligned(_own(annotation.annotation, row), annotation.align)
    target = getattr(annotation, "_target", None)
    if (
        target is not None
        and getattr(target, "name", None) == row.name
        and not isinstance(target, ForeignType)
    ):
        annotation._target = row
    return annotation


def _annotations(cls: type, row: StructType, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The class's own annotations, text evaluated: the class's name in them is `row`."""
    if sys.version_info >= (3, 14):
        own = dict(cls.__annotations__)
    else:
        own = dict(vars(cls).get("__annotations__", {}))
    module = sys.modules.get(cls.__module__)
    names = {**scope, cls.__name__: row}
    for name, annotation in own.items():
        if isinstance(annotation, str):
            try:
                own[name] = eval(annotation, dict(vars(module)) if module else {}, names)
            except DeclarationError as error:
                raise DeclarationError(f"{cls.__name__}.{name}: {error}") from None
            except Exception as error:
                raise DeclarationError(
                    f"{cls.__name__}.{name}: cannot evaluate {annotation!r}: {error}"
                ) from error
        own[name] = _own(own[name], row)
    return own


def _build(
    row: StructType,
    annotations: Mapping[str, Any],
    body: dict[str, Any],
    bases: tuple[type, ...],
    options: _Options,
    *,
    opaque: bool | None = None,
) -> Any:
    base = next((b for b in bases if issubclass(b, Struct)), None)
    if opaque if opaque is not None else not annotations and base is None:
        return _finish(row, body, bases or (_Opaque,), {})
    declared = [_declared(row, name, annotation) for name, annotation in annotations.items()]
    layout = _laid_out(row, declared, base, options)
    row.abi = aggregate(layout.size, layout.alignment, layout.fields, row.name)
    row.complete = True
    row.has_pointers = any(holds_pointer(field.type) for field in layout.fields)
    placed = layout.placed[1:] if base is not None else layout.placed
    fields = _fields(row, declared, placed, base)
    _note_flexible(row, declared, layout)
    return _finish(row, body, _bases(row, bases, base), fields)


def _finish(row: StructType, body: dict[str, Any], bases: tuple[type, ...], fields: dict[str, Field]) -> Any:
    body |= fields
    body |= {"__slots__": (), "__foreign_type__": row, "__match_args__": row.names}
    cls = type(row.name, bases, body)
    row.cls = cls
    install_members(cls, fields)
    return cls


class _Opaque(Struct):
    """The base of types of which only the name is known."""

    __slots__ = ()

    def __new__(cls, *_: Any, **__: Any) -> Any:
        raise DeclarationError(f"{cls.__name__} is incomplete: only pointers to it can be used")


def _declared(row: StructType, name: str, annotation: Any) -> _Declared:
    if name in RESERVED or (name.startswith("__") and name.endswith("__")):
        raise DeclarationError(f"{row.name}.{name}: the name is taken; call the member {name.strip('_')}_")
    if isinstance(annotation, Aligned):
        return _declared(row, name, annotation.annotation)._replace(align=annotation.align)
    try:
        if isinstance(annotation, Bits):
            return _Declared(None if _UNNAMED.match(name) else name, annotation.row, annotation, False, False)
        if isinstance(annotation, Anonymous):
            return _Declared(name, annotation.row, None, False, True)
        member = resolve_type(annotation)
    except DeclarationError as error:
        raise DeclarationError(f"{row.name}.{name}: {error}") from None
    if member is row:
        raise DeclarationError(f"{row.name}.{name}: {row.name} cannot contain itself; a pointer to it can")
    if not member.complete:
        raise DeclarationError(
            f"{row.name}.{name}: {member.name} is incomplete: its size is not known, only pointers to it are"
        )
    return _Declared(name, member, None, isinstance(annotation, Const), False)


def _element(row: Any) -> ForeignType:
    """What an array type is an array of."""
    return row.element  # type: ignore[no-any-return]  # a row


def _laid_out(row: StructType, declared: list[_Declared], base: Any, options: _Options) -> Layout:
    members = [Member(None, base.__foreign_type__.abi)] if base is not None else []
    for each in declared:
        flexible = isinstance(each.row, ArrayType) and each.row.count is None
        members.append(
            Member(
                None if each.anonymous else each.name,
                _element(each.row).abi if flexible else each.row.abi,
                bits=None if each.bits is None else each.bits.width,
                signed=each.row.abi.kind is Kind.SIGNED,
                flexible=flexible,
                align=each.align,
            )
        )
    return lay_out(members, name=row.name, union=row.union, **options._asdict())


def _fields(
    row: StructType, declared: list[_Declared], placed: tuple[Placed, ...], base: Any
) -> dict[str, Field]:
    """The descriptors by name, and the row's names, in order."""
    fields: dict[str, Field] = {}
    names = list(base.__foreign_type__.names) if base is not None else []
    row.fields = dict(base.__foreign_type__.fields) if base is not None else {}
    for each, at in zip(declared, placed, strict=True):
        if each.name is None:
            continue
        made = {each.name: _field(row, each, at)}
        inner = each.row if each.anonymous else None
        if isinstance(inner, StructType):
            made |= {name: _promoted(row, field, at.offset) for name, field in inner.fields.items()}
        for name in made:
            if name in row.fields:
                raise DeclarationError(f"{row.name}.{name} is declared twice")
        # A union's members are alternatives: whoever goes through a struct takes the union as a whole.
        names += inner.names if isinstance(inner, StructType) and not inner.union else [each.name]
        row.fields |= made
        fields |= made
        row.groups |= dict.fromkeys(made, each.name)
    row.names = tuple(names)
    return fields


def _field(row: StructType, each: _Declared, at: Placed) -> Field:
    name = f"{row.name}.{each.name}"
    if isinstance(each.row, ArrayType) and each.row.count is None:
        from .flexible import flexible_field

        return flexible_field(name, each.row, at.offset)
    return make_descriptor(
        name, each.row, at.offset, bits=each.bits, size=at.size, shift=at.shift, readonly=each.readonly
    )


def _promoted(row: StructType, field: Field, offset: int) -> Field:
    """A member of an anonymous member, as a member of the struct around it."""
    return make_descriptor(
        f"{row.name}.{field.name.rpartition('.')[2]}",
        field.row,
        field.offset + offset,
        bits=Bits(field.row, field.width) if field.width else None,
        size=field.size,
        shift=field.shift,
        readonly=field.readonly,
    )


def _note_flexible(row: StructType, declared: list[_Declared], layout: Layout) -> None:
    if layout.flexible_offset is not None:
        row.flexible = Flexible(_element(declared[-1].row), layout.flexible_offset)


def _bases(row: StructType, bases: tuple[type, ...], base: Any) -> tuple[type, ...]:
    """The Python bases: those of the declared class, over a type whose objects have room for the data."""
    if base is not None:
        inherited = base.__foreign_type__
        row.inline, row.inline_size = inherited.inline, inherited.inline_size
        return bases
    # Objects are aligned to 8 bytes; guard pages can only stand around allocations.
    if row.size > INLINE or row.alignment > 8 or debug.ENABLED:
        return (Struct, *bases)
    row.inline_size = -(-max(row.size, 1) // 8) * 8
    storage, row.inline = with_storage(Struct, row.inline_size)
    return (constructor_base(storage, row), *bases)
