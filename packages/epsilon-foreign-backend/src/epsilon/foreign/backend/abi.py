"""The types that a calling convention knows: scalars by kind and size, aggregates by layout.

C's own names (``int``, ``long``, ``size_t`` ...) are names for these on the running platform: `C_TYPES`.
Sizes come from the data model of the C compiler that built the interpreter, as `ctypes` reports it
(https://docs.python.org/3/library/ctypes.html#fundamental-data-types).
"""

from __future__ import annotations

import ctypes
import enum
from typing import Any


class Kind(enum.Enum):
    """What a value is to the machine, apart from its size."""

    VOID = "void"
    BOOL = "bool"
    SIGNED = "signed"
    UNSIGNED = "unsigned"
    FLOAT = "float"
    COMPLEX = "complex"
    POINTER = "pointer"
    AGGREGATE = "aggregate"

    # Members are singletons; Enum's own hash is a Python function, called for every look-up of a signature.
    __hash__ = object.__hash__


class AbiType:
    """One type as the ABI sees it; immutable, compared by value, hashable.

    `size` and `alignment` are in bytes. `fields` is empty for everything but an aggregate.
    """

    __slots__ = ("_hash", "_key", "alignment", "fields", "kind", "name", "size")

    kind: Kind
    size: int
    alignment: int
    name: str
    fields: tuple[Field, ...]
    _key: tuple[Any, ...]
    _hash: int

    def __init__(
        self, kind: Kind, size: int, alignment: int, name: str, fields: tuple[Field, ...] = ()
    ) -> None:
        put = object.__setattr__
        put(self, "kind", kind)
        put(self, "size", size)
        put(self, "alignment", alignment)
        put(self, "name", name)
        put(self, "fields", fields)
        put(self, "_key", (kind, size, alignment, fields))
        put(self, "_hash", hash((kind, size, alignment, fields)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbiType) and (self is other or self._key == other._key)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"<abi {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (AbiType, (self.kind, self.size, self.alignment, self.name, self.fields))

    @property
    def is_integer(self) -> bool:
        """Signed and unsigned integers of every width; not bool, not pointers."""
        return self.kind is Kind.SIGNED or self.kind is Kind.UNSIGNED

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest value of an integer, bool or pointer type."""
        bits = 1 if self.kind is Kind.BOOL else 8 * self.size
        if self.kind is Kind.SIGNED:
            return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        return 0, (1 << bits) - 1


class Field:
    """`count` consecutive values of `type` at `offset` bytes from the start of an aggregate.

    Fields may overlap (a union) and may be misaligned (a packed struct). A bit-field is described by the
    bytes that hold it, as unsigned integers: to every calling convention here it is plain integer data.
    """

    __slots__ = ("count", "offset", "type")

    def __init__(self, offset: int, type: AbiType, count: int = 1) -> None:
        self.offset = offset
        self.type = type
        self.count = count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Field):
            return NotImplemented
        return (self.offset, self.count, self.type) == (other.offset, other.count, other.type)

    def __hash__(self) -> int:
        return hash((self.offset, self.count, self.type))

    def __repr__(self) -> str:
        times = f"[{self.count}]" if self.count != 1 else ""
        return f"Field({self.offset}, {self.type.name}{times})"


def aggregate(size: int, alignment: int, fields: tuple[Field, ...], name: str = "aggregate") -> AbiType:
    """A struct or union passed by value: `size` and `alignment` in bytes, and what lies where.

    Raises ValueError when the alignment is no power of two, or a field is void or reaches outside `size`.
    """
    if alignment < 1 or alignment & (alignment - 1):
        raise ValueError(f"{name}: alignment {alignment} is not a power of two")
    for field in fields:
        if field.type.kind is Kind.VOID:
            raise ValueError(f"{name}: {field!r} is void")
        if field.offset < 0 or field.count < 0 or field.offset + field.count * field.type.size > size:
            raise ValueError(f"{name}: {field!r} does not lie within {size} bytes")
    return AbiType(Kind.AGGREGATE, size, alignment, name, tuple(fields))


def _scalar(kind: Kind, name: str, ctype: Any) -> AbiType:
    return AbiType(kind, ctypes.sizeof(ctype), ctypes.alignment(ctype), name)


VOID = AbiType(Kind.VOID, 0, 1, "void")
BOOL = _scalar(Kind.BOOL, "bool", ctypes.c_bool)
INT8 = _scalar(Kind.SIGNED, "int8", ctypes.c_int8)
INT16 = _scalar(Kind.SIGNED, "int16", ctypes.c_int16)
INT32 = _scalar(Kind.SIGNED, "int32", ctypes.c_int32)
INT64 = _scalar(Kind.SIGNED, "int64", ctypes.c_int64)
UINT8 = _scalar(Kind.UNSIGNED, "uint8", ctypes.c_uint8)
UINT16 = _scalar(Kind.UNSIGNED, "uint16", ctypes.c_uint16)
UINT32 = _scalar(Kind.UNSIGNED, "uint32", ctypes.c_uint32)
UINT64 = _scalar(Kind.UNSIGNED, "uint64", ctypes.c_uint64)
FLOAT = _scalar(Kind.FLOAT, "float", ctypes.c_float)
DOUBLE = _scalar(Kind.FLOAT, "double", ctypes.c_double)
# Where long double is double (Windows), ctypes reports the one size for both; the kind of value is the same.
LONGDOUBLE = _scalar(Kind.FLOAT, "long double", ctypes.c_longdouble)
COMPLEX_FLOAT = AbiType(Kind.COMPLEX, 2 * FLOAT.size, FLOAT.alignment, "float complex")
COMPLEX_DOUBLE = AbiType(Kind.COMPLEX, 2 * DOUBLE.size, DOUBLE.alignment, "double complex")
POINTER = _scalar(Kind.POINTER, "pointer", ctypes.c_void_p)

SIGNED_BY_SIZE = {t.size: t for t in (INT8, INT16, INT32, INT64)}
UNSIGNED_BY_SIZE = {t.size: t for t in (UINT8, UINT16, UINT32, UINT64)}


def _c_names() -> dict[str, AbiType]:
    table: dict[str, AbiType] = {}
    for name, ctype in {
        "signed char": ctypes.c_byte,
        "short": ctypes.c_short,
        "int": ctypes.c_int,
        "long": ctypes.c_long,
        "long long": ctypes.c_longlong,
        "ssize_t": ctypes.c_ssize_t,
        "ptrdiff_t": ctypes.c_ssize_t,
        "intptr_t": ctypes.c_ssize_t,
    }.items():
        table[name] = SIGNED_BY_SIZE[ctypes.sizeof(ctype)]
    for name, ctype in {
        "unsigned char": ctypes.c_ubyte,
        "unsigned short": ctypes.c_ushort,
        "unsigned int": ctypes.c_uint,
        "unsigned long": ctypes.c_ulong,
        "unsigned long long": ctypes.c_ulonglong,
        "size_t": ctypes.c_size_t,
        "uintptr_t": ctypes.c_size_t,
    }.items():
        table[name] = UNSIGNED_BY_SIZE[ctypes.sizeof(ctype)]
    return table


#: C's integer type names on this platform.
C_TYPES: dict[str, AbiType] = _c_names()
