"""The numbers of libclang's enums that the parser tells apart.

CXCursorKind, CXTypeKind and others of https://clang.llvm.org/doxygen/Index_8h_source.html; they are part of its
stable interface.
"""

from __future__ import annotations

# CXCursorKind
UNEXPOSED_DECL = 1
STRUCT = 2
UNION = 3
CLASS = 4
ENUM = 5
ENUMERATOR = 7
FUNCTION = 8
VARIABLE = 9
TYPEDEF = 20
NAMESPACE = 22
LINKAGE_SPEC = 23
FUNCTION_TEMPLATE = 30
CLASS_TEMPLATE = 31
TYPE_ALIAS = 36
MACRO_DEFINITION = 501
NO_DECLARATION = 71

#: C++ declarations that no C interface has, by what they are called.
CXX_DECLARATIONS = {
    CLASS: "class",
    FUNCTION_TEMPLATE: "function template",
    CLASS_TEMPLATE: "class template",
    32: "class template",
    NAMESPACE: "namespace",
}

# CXTypeKind of C's scalars, as the IR names them.
SCALARS = {
    2: "void",
    3: "bool",
    4: "char",
    13: "char",
    5: "unsigned char",
    14: "signed char",
    8: "unsigned short",
    16: "short",
    9: "unsigned int",
    17: "int",
    10: "unsigned long",
    18: "long",
    11: "unsigned long long",
    19: "long long",
    21: "float",
    22: "double",
    23: "long double",
}
#: Those that have no values here: the `Opaque` kind.
OPAQUE = {
    12: "int128",
    20: "int128",
    30: "float",
    31: "float",
    32: "float",
    39: "float",
    40: "float",
    102: "block",
}
CHAR16, CHAR32, WCHAR, NULLPTR = 6, 7, 15, 24
COMPLEX = 100
POINTER = 101
LVALUE_REFERENCE, RVALUE_REFERENCE = 103, 104
RECORD = 105
ENUM_TYPE = 106
TYPEDEF_TYPE = 107
FUNCTION_NO_PROTO = 110
FUNCTION_PROTO = 111
CONSTANT_ARRAY = 112
VECTOR = 113
INCOMPLETE_ARRAY = 114
VARIABLE_ARRAY = 115
MEMBER_POINTER = 117
ELABORATED = 119
ATTRIBUTED = 163
EXT_VECTOR = 176
ATOMIC = 177

#: CXCallingConv -> the attribute that asks for it. "c" is the platform's default.
CONVENTIONS = {
    0: "c",
    1: "c",
    2: "stdcall",
    3: "fastcall",
    4: "thiscall",
    5: "pascal",
    6: "c",
    7: "pcs",
    8: "regcall",
    9: "inteloclbicc",
    10: "ms_abi",
    11: "sysv_abi",
    12: "vectorcall",
    13: "swiftcall",
    14: "preserve_most",
    15: "preserve_all",
    16: "aarch64_vector_pcs",
}

# CX_StorageClass, CXAvailabilityKind, CXEvalResultKind
STATIC = 3
DEPRECATED = 1
EVAL_INT, EVAL_FLOAT, EVAL_STRING = 1, 2, 4
