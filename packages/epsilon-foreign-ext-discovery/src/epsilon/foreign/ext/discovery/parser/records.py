"""Describing structs and unions: clang's layout, and the declaration that the api gives the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fit import Shape, fit
from ..ir import Array, CType, Field, Opaque, Qualified, Record
from ..values import replace
from . import kinds

if TYPE_CHECKING:
    from .types import TypeReader

#: CXCursorKind of a method, and of constructors, destructors and base classes.
_CXX_METHOD = 21
_CXX_MEMBERS = (24, 25, 44)


class RecordReader:
    """Describes the records of one unit."""

    def __init__(self, types: TypeReader, unnamed_bits_align: bool) -> None:
        self.types = types
        self.unit = types.unit
        self.clang = types.clang
        self.tags = types.tags
        self.unnamed_bits_align = unnamed_bits_align

    def read(self, declaration: Any) -> Record:
        """The record of a declaration; incomplete when the unit has no definition of it."""
        clang = self.clang
        name = self.tags.name(declaration)
        union = declaration.kind == kinds.UNION
        definition = clang.clang_getCursorDefinition(declaration)
        common: dict[str, Any] = {
            "anonymous": name in self.tags.anonymous,
            "typedef": name in self.tags.typedefs,
        }
        type = clang.clang_getCursorType(declaration)
        size, align = clang.clang_Type_getSizeOf(type), clang.clang_Type_getAlignOf(type)
        if definition.kind != declaration.kind or size < 0:
            return Record(name, union, complete=False, **common)
        doc = self.types.docs.declaration(definition)
        cursors = self.unit.fields(type)
        self._name_members(name, cursors)
        fields = tuple([self._field(cursor, position == 0) for position, cursor in enumerate(cursors)])
        record = Record(name, union, size, max(align, 1), fields, doc=doc, **common)
        return self._laid_out(record, cursors, definition)

    def _name_members(self, outer: str, cursors: list[Any]) -> None:
        """Give the types that are declared with a member, and have no tag, names made of the member's."""
        unnamed = 0
        for cursor in cursors:
            declaration = self._declared_by(self.clang.clang_getCursorType(cursor))
            if declaration is None or not self.tags.is_anonymous(declaration):
                continue
            name = self._member_name(cursor)
            if not name:
                name, unnamed = f"@{unnamed}", unnamed + 1
            self.tags.propose(declaration, f"{outer}.{name}")

    def _declared_by(self, type: Any) -> Any:
        """The tag that a member's type is, points to, or has for elements; None for others."""
        clang = self.clang
        while True:
            if type.kind in (kinds.CONSTANT_ARRAY, kinds.INCOMPLETE_ARRAY):
                type = clang.clang_getElementType(type)
            elif type.kind == kinds.POINTER:
                type = clang.clang_getPointeeType(type)
            elif type.kind == kinds.TYPEDEF_TYPE:
                return None
            else:
                break
        declaration = clang.clang_getTypeDeclaration(type)
        if declaration.kind not in (kinds.STRUCT, kinds.UNION, kinds.ENUM, kinds.CLASS):
            return None
        return declaration

    def _member_name(self, cursor: Any) -> str:
        name = self.unit.spelling(cursor)
        return "" if "(" in name else name

    def _field(self, cursor: Any, first: bool) -> Field:
        clang = self.clang
        position = clang.clang_Cursor_getOffsetOfField(cursor)
        if position < 0:
            position = 0 if first else 1 << 40  # incomplete: refused by `_laid_out`
        bits = clang.clang_getFieldDeclBitWidth(cursor) if clang.clang_Cursor_isBitField(cursor) else None
        return Field(
            self._member_name(cursor),
            self.types.read(clang.clang_getCursorType(cursor)),
            position // 8,
            bits,
            position % 8,
            doc=self.types.docs.member(cursor),
        )

    def _laid_out(self, record: Record, cursors: list[Any], definition: Any) -> Record:
        reason = self._refusal(record, definition)
        if reason:
            return replace(record, fields=(), unsupported=reason)
        shapes = [
            self._shape(field, cursor, position == len(cursors) - 1)
            for position, (field, cursor) in enumerate(zip(record.fields, cursors, strict=True))
        ]
        found = fit(
            shapes,
            record.size,
            record.align,
            union=record.union,
            unnamed_bits_align=self.unnamed_bits_align,
        )
        if found is None:
            return replace(record, unsupported="no declaration has this layout")
        fields = tuple(
            field if own is None else replace(field, aligned=own)
            for field, own in zip(record.fields, found.members, strict=True)
        )
        return replace(record, fields=fields, pack=found.pack, packed=found.packed, aligned=found.align)

    def _refusal(self, record: Record, definition: Any) -> str:
        if any(field.offset >= 1 << 37 for field in record.fields):
            return "clang gives it no layout"
        for field in record.fields:
            if field.bits is not None and isinstance(unqualified_element(field.type), Opaque):
                return f"the bit-field {field.name!r} is of a type that is not one of C's"
        if definition.kind == kinds.CLASS or (self.tags.cplusplus and self._has_cxx(definition)):
            return "it is a class of C++, with bases, virtual functions or private members"
        return ""

    def _has_cxx(self, definition: Any) -> bool:
        """Is it no struct that C could declare: has it bases, constructors or virtual functions?"""
        virtual = self.clang.clang_CXXMethod_isVirtual
        return any(
            child.kind in _CXX_MEMBERS or (child.kind == _CXX_METHOD and virtual(child))
            for child in self.unit.children(definition)
        )

    def _shape(self, field: Field, cursor: Any, last: bool) -> Shape:
        """The member as the api will declare it: a typedef's own alignment is not its type's there."""
        clang = self.clang
        type = clang.clang_getCanonicalType(clang.clang_getCursorType(cursor))
        size, align = self.types.sizes(type)
        if isinstance(field.type, Array) and field.type.count is None:
            size = 0
        if isinstance(unqualified_element(field.type), Opaque):
            align = 1  # an array of bytes
        position = 8 * field.offset + field.bit
        return Shape(size, align, position, field.bits, bool(field.name))


def unqualified_element(type: CType) -> CType:
    """The innermost element of an array, or the type itself, without qualifiers."""
    while isinstance(type, (Array, Qualified)):
        type = type.element if isinstance(type, Array) else type.type
    return type
