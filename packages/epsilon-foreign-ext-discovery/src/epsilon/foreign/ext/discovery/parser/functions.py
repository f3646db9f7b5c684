"""Describing functions and variables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..ir import Array, Function, Macro, Parameter, Pointer, Scalar, Unsupported, Variable
from . import kinds
from .constants import constant_of, text_of
from .types import unqualified

if TYPE_CHECKING:
    from .types import TypeReader


class FunctionReader:
    """Describes the functions and variables of one unit."""

    def __init__(self, types: TypeReader) -> None:
        self.types = types
        self.unit = types.unit
        self.clang = types.clang

    def function(self, cursor: Any) -> Function | Unsupported:
        """The function of a declaration."""
        clang = self.clang
        name = self.unit.spelling(cursor)
        symbol = self._symbol(cursor)
        if _is_cxx(name, symbol):
            return Unsupported(
                name, "function", 'it has C++ linkage: only extern "C" functions can be called'
            )
        type = clang.clang_getCursorType(cursor)
        if type.kind in (kinds.TYPEDEF_TYPE, kinds.ELABORATED, kinds.ATTRIBUTED, 1):
            type = clang.clang_getCanonicalType(type)  # declared by a typedef of its type
        prototyped = type.kind == kinds.FUNCTION_PROTO
        return Function(
            name,
            unqualified(self.types.read(clang.clang_getCursorResultType(cursor))),
            self._parameters(cursor, type) if prototyped else (),
            variadic=prototyped and bool(clang.clang_isFunctionTypeVariadic(type)),
            prototyped=prototyped,
            convention=self.types.convention(type),
            symbol="" if symbol == name else symbol,
            uncallable=self._uncallable(cursor),
            deprecated=self._deprecated(cursor),
            noreturn="noreturn" in self.types.spelling(type),
            doc=self.types.docs.declaration(cursor),
        )

    def variable(self, cursor: Any) -> Variable | Macro | Unsupported:
        """The variable of a declaration; a static constant is to others what a macro is."""
        clang = self.clang
        name = self.unit.spelling(cursor)
        symbol = self._symbol(cursor)
        if _is_cxx(name, symbol):
            return Unsupported(name, "variable", 'it has C++ linkage: only extern "C" variables can be used')
        type = clang.clang_getCursorType(cursor)
        reason = ""
        if clang.clang_getCursorTLSKind(cursor):
            reason = "every thread has its own, which no symbol leads to"
        elif clang.clang_Cursor_getStorageClass(cursor) == kinds.STATIC:
            constant = self._constant(cursor, name, type)
            if constant is not None:
                return constant
            reason = "it is static: it is in whoever includes the header, in no library"
        return Variable(
            name,
            self.types.read(type),
            symbol="" if symbol == name else symbol,
            uncallable=reason,
            doc=self.types.docs.declaration(cursor),
        )

    def _constant(self, cursor: Any, name: str, type: Any) -> Macro | None:
        """``static const int name = 3;`` as the constant that it is."""
        clang = self.clang
        element = clang.clang_getElementType(type) if type.kind == kinds.CONSTANT_ARRAY else type
        if not clang.clang_isConstQualifiedType(element):
            return None
        value: Any = constant_of(clang, cursor)
        read = unqualified(self.types.read(clang.clang_getCanonicalType(type)))
        if isinstance(value, bytes):
            value = text_of(clang, cursor, value) if isinstance(read, Array) else None
            read = Pointer(Scalar("char"))
        if value is None or not isinstance(read, (Scalar, Pointer)):
            return None
        doc = self.types.docs.declaration(cursor)
        return Macro(name, f"static {self.types.spelling(type)}", value, read, doc=doc)

    def _parameters(self, cursor: Any, type: Any) -> tuple[Parameter, ...]:
        clang = self.clang
        count = clang.clang_Cursor_getNumArguments(cursor)
        if count != clang.clang_getNumArgTypes(type):  # declared by a typedef: the type alone has parameters
            count = clang.clang_getNumArgTypes(type)
            arguments = [clang.clang_getArgType(type, i) for i in range(count)]
            return tuple([Parameter("", self.types.parameter(each)) for each in arguments])
        made = []
        for index in range(count):
            parameter = clang.clang_Cursor_getArgument(cursor, index)
            read = self.types.parameter(clang.clang_getCursorType(parameter))
            made.append(Parameter(self.unit.spelling(parameter), read))
        return tuple(made)

    def _symbol(self, cursor: Any) -> str:
        """What the linker calls it; an assembler's label where the header gives one."""
        symbol = self.unit.text(self.clang.clang_Cursor_getMangling(cursor)).removeprefix("\x01")
        if sys.platform == "darwin":
            symbol = symbol.removeprefix("_")  # which dlsym(3) adds again
        return "".join(c for c in symbol if c.isprintable() and not c.isspace())

    def _uncallable(self, cursor: Any) -> str:
        if self.clang.clang_Cursor_getStorageClass(cursor) != kinds.STATIC:
            return ""
        kind = "static inline" if self.clang.clang_Cursor_isFunctionInlined(cursor) else "static"
        return f"it is {kind}: compiled into whoever includes the header, it is in no library"

    def _deprecated(self, cursor: Any) -> str:
        return "deprecated" if self.clang.clang_getCursorAvailability(cursor) == kinds.DEPRECATED else ""


def _is_cxx(name: str, symbol: str) -> bool:
    return symbol != name and symbol.startswith(("_Z", "?"))
