"""C's scalar types and the well-known typedefs, as rows of the api's type table."""

from __future__ import annotations

SCALARS = {
    "bool": "bool",
    "char": "char",
    "signed char": "schar",
    "unsigned char": "uchar",
    "short": "short",
    "unsigned short": "ushort",
    "int": "int",
    "unsigned int": "uint",
    "long": "long",
    "unsigned long": "ulong",
    "long long": "longlong",
    "unsigned long long": "ulonglong",
    "float": "float",
    "double": "double",
    "long double": "longdouble",
    "float complex": "float_complex",
    "double complex": "double_complex",
}

#: Typedefs of the C and POSIX standards with a row of their own, where they are the type that everybody expects.
STANDARD = {
    "size_t": "size_t",
    "ssize_t": "ssize_t",
    "ptrdiff_t": "ptrdiff_t",
    "intptr_t": "intptr_t",
    "uintptr_t": "uintptr_t",
    "int8_t": "int8",
    "int16_t": "int16",
    "int32_t": "int32",
    "int64_t": "int64",
    "uint8_t": "uint8",
    "uint16_t": "uint16",
    "uint32_t": "uint32",
    "uint64_t": "uint64",
    "wchar_t": "wchar",
}
