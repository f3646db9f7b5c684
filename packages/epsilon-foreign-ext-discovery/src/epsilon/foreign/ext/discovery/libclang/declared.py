"""The part of libclang's C interface that the parser calls.

https://clang.llvm.org/doxygen/group__CINDEX.html. The calls are short and many, so they keep the GIL; all but
`clang_parseTranslationUnit2`, which may take seconds.
"""

from __future__ import annotations

import functools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

from ..errors import ParserUnavailableError


@functools.cache
def load(path: Path) -> Any:
    """libclang's functions and structs, as attributes under their C names. Raises ParserUnavailableError."""
    try:
        library = ffi.Library(path)
    except ffi.LibraryError as error:
        raise ParserUnavailableError(f"libclang cannot be loaded: {error}") from None
    return _declared(library)


def _declared(library: ffi.Library) -> Any:
    api: Any = ffi  # types are made of values here, which checkers do not follow
    clang: Any = SimpleNamespace(
        CXString=ffi.make_struct("CXString", {"data": c.pointer, "private_flags": c.uint}),
        CXCursor=ffi.make_struct(
            "CXCursor", {"kind": c.int, "xdata": c.int, "data": api.Array[c.pointer, 3]}
        ),
        CXType=ffi.make_struct("CXType", {"kind": c.int, "data": api.Array[c.pointer, 2]}),
        CXSourceLocation=ffi.make_struct(
            "CXSourceLocation", {"ptr_data": api.Array[c.pointer, 2], "int_data": c.uint}
        ),
        CXSourceRange=ffi.make_struct(
            "CXSourceRange",
            {"ptr_data": api.Array[c.pointer, 2], "begin_int_data": c.uint, "end_int_data": c.uint},
        ),
        CXUnsavedFile=ffi.make_struct(
            "CXUnsavedFile", {"Filename": c.string, "Contents": c.bytes, "Length": c.ulong}
        ),
    )
    words: dict[str, Any] = {
        "void": None,
        "int": c.int,
        "uint": c.uint,
        "long": c.longlong,
        "ulong": c.ulonglong,
        "double": c.double,
        "pointer": c.pointer,
        "bytes": c.bytes,
        "string": c.string,
        "string*": api.Pointer[c.string],
        "pointer*": api.Pointer[c.pointer],
        "uint*": api.Pointer[c.uint],
        "size*": api.Pointer[c.size_t],
        "unsaved*": api.Pointer[clang.CXUnsavedFile],
        "String": clang.CXString,
        "Cursor": clang.CXCursor,
        "Type": clang.CXType,
        "Location": clang.CXSourceLocation,
        "Range": clang.CXSourceRange,
    }
    clang.CXCursorVisitor = api.Callback[[clang.CXCursor, clang.CXCursor, c.pointer], c.int]
    clang.CXFieldVisitor = api.Callback[[clang.CXCursor, c.pointer], c.int]
    clang.CXInclusionVisitor = api.Callback[[c.pointer, c.pointer, c.uint, c.pointer], None]
    words |= {
        "visitor": clang.CXCursorVisitor,
        "field_visitor": clang.CXFieldVisitor,
        "inclusion_visitor": clang.CXInclusionVisitor,
    }
    for line in _FUNCTIONS.strip().splitlines():
        result, name, *parameters = line.split()
        function = library.bind(
            f"clang_{name}",
            words[result],
            [words[word] for word in parameters],
            release_gil=name.startswith("parse"),
        )
        setattr(clang, f"clang_{name}", function)
    return clang


#: Result, name without ``clang_``, parameters.
_FUNCTIONS = """
pointer createIndex int int
void disposeIndex pointer
int parseTranslationUnit2 pointer string string* int unsaved* uint uint pointer*
void disposeTranslationUnit pointer
String getClangVersion
bytes getCString String
void disposeString String
uint getNumDiagnostics pointer
pointer getDiagnostic pointer uint
uint getDiagnosticSeverity pointer
String getDiagnosticSpelling pointer
Location getDiagnosticLocation pointer
void disposeDiagnostic pointer
Cursor getTranslationUnitCursor pointer
pointer getTranslationUnitTargetInfo pointer
String TargetInfo_getTriple pointer
void TargetInfo_dispose pointer
uint visitChildren Cursor visitor pointer
uint Type_visitFields Type field_visitor pointer
String getFileName pointer
pointer getFile pointer string
pointer getIncludedFile Cursor
void getInclusions pointer inclusion_visitor pointer
pointer getFileContents pointer pointer size*
int Location_isInSystemHeader Location
Location getCursorLocation Cursor
Range getCursorExtent Cursor
Location getRangeStart Range
Location getRangeEnd Range
void getExpansionLocation Location pointer* uint* uint* uint*
void getFileLocation Location pointer* uint* uint* uint*
String getCursorSpelling Cursor
String Cursor_getRawCommentText Cursor
Range Cursor_getCommentRange Cursor
String Cursor_getMangling Cursor
Cursor getCanonicalCursor Cursor
Cursor getCursorDefinition Cursor
Cursor getCursorLexicalParent Cursor
Cursor getCursorSemanticParent Cursor
int getCursorAvailability Cursor
int getCursorLinkage Cursor
int getCursorLanguage Cursor
int getCursorTLSKind Cursor
int Cursor_getStorageClass Cursor
uint Cursor_isFunctionInlined Cursor
uint Cursor_isMacroFunctionLike Cursor
uint Cursor_isMacroBuiltin Cursor
uint Cursor_isAnonymous Cursor
uint Cursor_isAnonymousRecordDecl Cursor
uint Cursor_isBitField Cursor
long Cursor_getOffsetOfField Cursor
int getFieldDeclBitWidth Cursor
int Cursor_getNumArguments Cursor
Cursor Cursor_getArgument Cursor uint
Type getCursorType Cursor
Type getCursorResultType Cursor
Type getTypedefDeclUnderlyingType Cursor
Type getEnumDeclIntegerType Cursor
long getEnumConstantDeclValue Cursor
ulong getEnumConstantDeclUnsignedValue Cursor
uint EnumDecl_isScoped Cursor
uint CXXMethod_isVirtual Cursor
Cursor getTypeDeclaration Type
String getTypeSpelling Type
Type getCanonicalType Type
Type getPointeeType Type
Type getResultType Type
int getNumArgTypes Type
Type getArgType Type uint
uint isFunctionTypeVariadic Type
int getFunctionTypeCallingConv Type
uint isConstQualifiedType Type
uint isVolatileQualifiedType Type
uint isRestrictQualifiedType Type
Type getElementType Type
long getNumElements Type
Type Type_getModifiedType Type
Type Type_getValueType Type
long Type_getSizeOf Type
long Type_getAlignOf Type
pointer Cursor_Evaluate Cursor
int EvalResult_getKind pointer
long EvalResult_getAsLongLong pointer
uint EvalResult_isUnsignedInt pointer
ulong EvalResult_getAsUnsigned pointer
double EvalResult_getAsDouble pointer
bytes EvalResult_getAsStr pointer
void EvalResult_dispose pointer
"""
