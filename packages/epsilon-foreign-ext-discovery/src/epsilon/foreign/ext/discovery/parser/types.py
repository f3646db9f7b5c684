"""From libclang's types to those of the IR; what they name is noted, to be described in its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ir import (
    VOID,
    Array,
    CType,
    EnumName,
    FunctionType,
    Opaque,
    Pointer,
    Qualified,
    RecordName,
    Scalar,
    TypedefName,
)
from . import kinds
from .docs import Docs
from .unit import pointer_of

if TYPE_CHECKING:
    from .names import TagNames
    from .unit import Unit


class TypeReader:
    """Reads the types of one unit. `wanted` maps what they name to the cursor of its declaration."""

    def __init__(self, unit: Unit, tags: TagNames) -> None:
        self.unit = unit
        self.clang = unit.clang
        self.tags = tags
        self.docs = Docs(unit)
        self.wanted: dict[CType, Any] = {}
        self._known: dict[int, CType] = {}

    def read(self, type: Any) -> CType:
        """The type, typedef names kept."""
        if type.kind in kinds.SCALARS:  # quicker to read than to remember
            return self._qualified(type)
        key = pointer_of(type)  # clang's QualType: the same for the same type, qualifiers included
        found = self._known.get(key) if key else None
        if found is None:
            found = self._qualified(type)
            if key:
                self._known[key] = found
        return found

    def _qualified(self, type: Any) -> CType:
        clang = self.clang
        found = self._unqualified(type)
        const = bool(clang.clang_isConstQualifiedType(type))
        volatile = bool(clang.clang_isVolatileQualifiedType(type))
        restrict = bool(clang.clang_isRestrictQualifiedType(type))
        if not (const or volatile or restrict):
            return found
        if isinstance(found, Array):  # the elements are qualified, and clang says it of the array as well
            inner = found.element
            if isinstance(inner, Qualified) and (inner.const, inner.volatile) == (const, volatile):
                return found
            return Array(qualified(inner, const, volatile, restrict), found.count)
        return qualified(found, const, volatile, restrict)

    def _unqualified(self, type: Any) -> CType:
        kind = type.kind
        scalar = kinds.SCALARS.get(kind)
        if scalar is not None:
            return VOID if scalar == "void" else Scalar(scalar)
        reader = _READERS.get(kind)
        if reader is not None:
            made: CType = reader(self, type)
            return made
        if kind in kinds.OPAQUE:
            return self._opaque(type, kinds.OPAQUE[kind])
        canonical = self.clang.clang_getCanonicalType(type)
        if canonical.kind == kind:
            return self._opaque(type, "bitint" if "_BitInt" in self.spelling(type) else "other")
        return self._unqualified(canonical)

    def spelling(self, type: Any) -> str:
        """A type as clang writes it."""
        return self.unit.text(self.clang.clang_getTypeSpelling(type))

    def _opaque(self, type: Any, kind: str) -> CType:
        size, align = self.sizes(type)
        spelling = "".join(c if c.isalnum() or c in "_ (),.*:-" else "?" for c in self.spelling(type))
        return Opaque(kind, size, align, spelling)

    def sizes(self, type: Any) -> tuple[int, int]:
        """Size and alignment in bytes; 0 and 1 where there are none."""
        size, align = self.clang.clang_Type_getSizeOf(type), self.clang.clang_Type_getAlignOf(type)
        return max(size, 0), max(align, 1)

    def _pointer(self, type: Any) -> CType:
        return Pointer(self.read(self.clang.clang_getPointeeType(type)))

    def _tag(self, type: Any) -> CType:
        declaration = self.clang.clang_getTypeDeclaration(type)
        name = self.tags.name(declaration)
        union = declaration.kind == kinds.UNION
        found: CType = EnumName(name) if type.kind == kinds.ENUM_TYPE else RecordName(name, union)
        self.wanted.setdefault(found, declaration)
        return found

    def _typedef(self, type: Any) -> CType:
        declaration = self.clang.clang_getTypeDeclaration(type)
        name = self.unit.spelling(declaration)
        underlying = self.clang.clang_getTypedefDeclUnderlyingType(declaration)
        tag = self.tags.made_for(name, underlying)
        if tag is not None:  # typedef struct { ... } name;
            return self.read(tag)
        found = TypedefName(name)
        self.wanted.setdefault(found, declaration)
        return found

    def _elaborated(self, type: Any) -> CType:
        clang = self.clang
        declaration = clang.clang_getTypeDeclaration(type)
        if declaration.kind in (kinds.TYPEDEF, kinds.TYPE_ALIAS):
            return self._typedef(type)
        if declaration.kind in (kinds.STRUCT, kinds.UNION, kinds.CLASS, kinds.ENUM):
            return self._tag(clang.clang_getCanonicalType(type))
        return self._unqualified(clang.clang_getCanonicalType(type))

    def _function(self, type: Any) -> CType:
        clang = self.clang
        prototyped = type.kind == kinds.FUNCTION_PROTO
        count = clang.clang_getNumArgTypes(type) if prototyped else 0
        return FunctionType(
            unqualified(self.read(clang.clang_getResultType(type))),
            tuple([self.parameter(clang.clang_getArgType(type, i)) for i in range(count)]),
            prototyped and bool(clang.clang_isFunctionTypeVariadic(type)),
            prototyped,
            self.convention(type),
        )

    def parameter(self, type: Any) -> CType:
        """A parameter's type: arrays and functions are pointers, qualifiers of its own nobody sees (C11 6.7.6.3)."""
        return decayed(self.read(type))

    def convention(self, type: Any) -> str:
        """The name of a function type's calling convention."""
        number = self.clang.clang_getFunctionTypeCallingConv(type)
        return kinds.CONVENTIONS.get(number, f"convention_{number}")

    def _array(self, type: Any) -> CType:
        clang = self.clang
        counted = type.kind == kinds.CONSTANT_ARRAY
        return Array(
            self.read(clang.clang_getElementType(type)),
            clang.clang_getNumElements(type) if counted else None,
        )

    def _vector(self, type: Any) -> CType:
        return self._opaque(type, "vector")

    def _complex(self, type: Any) -> CType:
        element = self.read(self.clang.clang_getElementType(type))
        if element in (Scalar("float"), Scalar("double")):
            return Scalar(f"{element.name} complex")
        return self._opaque(type, "complex")

    def _atomic(self, type: Any) -> CType:
        inner = self.read(self.clang.clang_Type_getValueType(type))
        if isinstance(inner, Qualified):
            return Qualified(inner.type, inner.const, inner.volatile, inner.restrict, atomic=True)
        return Qualified(inner, atomic=True)

    def _attributed(self, type: Any) -> CType:
        return self.read(self.clang.clang_Type_getModifiedType(type))

    def _character(self, type: Any) -> CType:
        size, _ = self.sizes(type)
        return Scalar({1: "unsigned char", 2: "unsigned short"}.get(size, "unsigned int"))

    def _wide(self, type: Any) -> CType:
        size, _ = self.sizes(type)
        return Scalar("unsigned short" if size == 2 else "int")

    def _null(self, type: Any) -> CType:
        return Pointer(VOID)


def qualified(type: CType, const: bool, volatile: bool, restrict: bool) -> CType:
    """`type` with more qualifiers."""
    if isinstance(type, Qualified):
        return Qualified(
            type.type, const or type.const, volatile or type.volatile, restrict or type.restrict, type.atomic
        )
    return Qualified(type, const, volatile, restrict)


def unqualified(type: CType) -> CType:
    """`type` without qualifiers of its own."""
    return type.type if isinstance(type, Qualified) else type


def decayed(type: CType) -> CType:
    """What a parameter declared so is."""
    type = unqualified(type)
    if isinstance(type, Array):
        return Pointer(type.element)
    return Pointer(type) if isinstance(type, FunctionType) else type


_READERS: dict[int, Any] = {
    kinds.POINTER: TypeReader._pointer,
    kinds.LVALUE_REFERENCE: TypeReader._pointer,
    kinds.RVALUE_REFERENCE: TypeReader._pointer,
    kinds.RECORD: TypeReader._tag,
    kinds.ENUM_TYPE: TypeReader._tag,
    kinds.TYPEDEF_TYPE: TypeReader._typedef,
    kinds.ELABORATED: TypeReader._elaborated,
    kinds.FUNCTION_PROTO: TypeReader._function,
    kinds.FUNCTION_NO_PROTO: TypeReader._function,
    kinds.CONSTANT_ARRAY: TypeReader._array,
    kinds.INCOMPLETE_ARRAY: TypeReader._array,
    kinds.VARIABLE_ARRAY: TypeReader._array,
    kinds.VECTOR: TypeReader._vector,
    kinds.EXT_VECTOR: TypeReader._vector,
    kinds.COMPLEX: TypeReader._complex,
    kinds.ATOMIC: TypeReader._atomic,
    kinds.ATTRIBUTED: TypeReader._attributed,
    kinds.CHAR16: TypeReader._character,
    kinds.CHAR32: TypeReader._character,
    kinds.WCHAR: TypeReader._wide,
    kinds.NULLPTR: TypeReader._null,
}
