"""Random structs and unions: their C source, their description as `AbiType`, and values for them.

Sizes, alignments and offsets are not computed here: the C library exports them as the compiler laid them out,
so that a wrong idea of layout cannot hide a wrong idea of calls.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from epsilon.foreign import backend as abi
from epsilon.foreign.backend import AbiType, Field, Kind

COUNT = 300
SEED = 20240229

SCALARS: dict[str, AbiType] = {
    "_Bool": abi.BOOL,
    "int8_t": abi.INT8,
    "int16_t": abi.INT16,
    "int32_t": abi.INT32,
    "int64_t": abi.INT64,
    "uint8_t": abi.UINT8,
    "uint16_t": abi.UINT16,
    "uint32_t": abi.UINT32,
    "uint64_t": abi.UINT64,
    "float": abi.FLOAT,
    "double": abi.DOUBLE,
    "long double": abi.LONGDOUBLE,
    "float complex": abi.COMPLEX_FLOAT,
    "double complex": abi.COMPLEX_DOUBLE,
    "void *": abi.POINTER,
}
# x87's long double is 10 bytes of value in 16 (System V x86-64, figure 3.1); its 1.0 ends in 0x3fff there.
LONG_DOUBLE_VALUE = 10 if bytes(ctypes.c_longdouble(1.0))[8:10] == b"\xff\x3f" else abi.LONGDOUBLE.size
INTEGERS = ("int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t")
SMALL = ("int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "_Bool")
FLOATS = ("float", "double")
COMMON = (*INTEGERS, *FLOATS, *FLOATS, "void *", "_Bool")
ALL = (*COMMON, "float complex", "double complex", "long double")

#: A flavour's member types, numbers of members, array lengths and attribute; it draws from them.
FLAVOURS: dict[str, tuple[tuple[str, ...], tuple[int, int], tuple[int, int], str]] = {
    "small integers": (SMALL, (1, 5), (1, 1), ""),
    "integers": (INTEGERS, (1, 4), (1, 2), ""),
    "floats": (("float",), (1, 5), (1, 1), ""),
    "doubles": (("double",), (1, 5), (1, 1), ""),
    "float arrays": (FLOATS, (1, 2), (1, 4), ""),
    "mixed": (COMMON, (2, 4), (1, 1), ""),
    "arrays": (COMMON, (1, 3), (1, 5), ""),
    "anything": (ALL, (1, 3), (1, 2), ""),
    "complex": (("float complex", "double complex", "float", "double"), (1, 2), (1, 1), ""),
    "packed": (COMMON, (2, 4), (1, 2), "__attribute__((packed))"),
    "aligned 8": (COMMON, (1, 3), (1, 1), "__attribute__((aligned(8)))"),
    "aligned 16": (COMMON, (1, 4), (1, 1), "__attribute__((aligned(16)))"),
    "aligned 32": (COMMON, (1, 3), (1, 1), "__attribute__((aligned(32)))"),
}


@dataclass(frozen=True)
class Member:
    """`count` values of a scalar, of another aggregate, or bit-fields (`bits`: their widths)."""

    type: str | Shape
    count: int = 1
    bits: tuple[int, ...] = ()


@dataclass(frozen=True)
class Shape:
    """A struct or union as it is declared in C."""

    name: str
    keyword: str
    members: tuple[Member, ...]
    attribute: str = ""
    flavour: str = ""


@cache
def shapes() -> tuple[Shape, ...]:
    """The same `COUNT` aggregates in every run."""
    dice = random.Random(SEED)
    return tuple(_draw(dice, f"t{number}") for number in range(COUNT))


def _draw(dice: random.Random, name: str, depth: int = 0) -> Shape:
    flavour = dice.choice(list(FLAVOURS))
    types, numbers, lengths, attribute = FLAVOURS[flavour]
    keyword = "union" if dice.random() < 0.2 else "struct"
    members = []
    for index in range(dice.randint(*numbers)):
        chance = dice.random()
        if chance < 0.12 and depth < 2:
            members.append(Member(_draw(dice, f"{name}_{index}", depth + 1)))
        elif chance < 0.18:
            members.append(
                Member("uint32_t", bits=tuple(dice.randint(1, 32) for _ in range(dice.randint(1, 3))))
            )
        else:
            members.append(Member(dice.choice(types), dice.randint(*lengths)))
    return Shape(name, keyword, tuple(members), attribute, flavour)


def _nested(shape: Shape) -> Iterator[Shape]:
    for member in shape.members:
        if isinstance(member.type, Shape):
            yield from _nested(member.type)
    yield shape


def c_declaration(shape: Shape) -> str:
    """The C definition of one aggregate, whose nested ones stand before it."""
    lines = []
    for index, member in enumerate(shape.members):
        if member.bits:
            inner = " ".join(f"uint32_t b{i} : {width};" for i, width in enumerate(member.bits))
            lines.append(f"struct {{ {inner} }} m{index};")
        else:
            name = member.type if isinstance(member.type, str) else member.type.name
            lines.append(f"{name} m{index}{f'[{member.count}]' if member.count > 1 else ''};")
    return f"typedef {shape.keyword} {shape.attribute} {{ {' '.join(lines)} }} {shape.name};\n"


_LAYOUT = """const uint64_t layout_{t}[] = {{ sizeof({t}), _Alignof({t}), {offsets} }};
"""
_CALLS = """{t} return_{t}(const void *in) {{ {t} x; memcpy(&x, in, sizeof x); return x; }}
void take_{t}(void *out, {t} x) {{ memcpy(out, &x, sizeof x); }}
{t} among_{t}(int32_t a, double b, {t} x, float c, {t} y, int64_t d, char *out)
{{
    double seen[4] = {{ a, b, c, d }};
    memcpy(out, seen, sizeof seen);
    memcpy(out + 32, &x, sizeof x);
    return y;
}}
int64_t late_{t}(char *out, int64_t a, int64_t b, int64_t c, int64_t d, double e, double f, double g,
                 double h, double i, double j, {t} x, {t} y, int8_t k, double l)
{{
    double seen[4] = {{ a + b + c + d, e + f + g + h + i + j, k, l }};
    memcpy(out, seen, sizeof seen);
    memcpy(out + 32, &x, sizeof x);
    memcpy(out + 32 + sizeof x, &y, sizeof y);
    return k;
}}
{t} upcall_{t}({t} (*function)(int32_t, {t}, double), {t} x) {{ return function(-7, x, 0.5); }}
int variadic_{t}(char *out, int count, ...)
{{
    va_list list;
    va_start(list, count);
    for (int i = 0; i < count; i++) {{
        {t} x = va_arg(list, {t});
        memcpy(out, &x, sizeof x);
        out += sizeof x;
    }}
    int last = va_arg(list, int);
    va_end(list);
    return last;
}}
"""


def c_source() -> str:
    """Everything that the tests call, for every aggregate."""
    headers = ("complex.h", "stdarg.h", "stddef.h", "stdint.h", "string.h")
    parts = [f"#include <{header}>\n" for header in headers]
    for shape in shapes():
        for part in _nested(shape):
            offsets = ", ".join(f"offsetof({part.name}, m{i})" for i in range(len(part.members)))
            sizes = ", ".join(f"sizeof((({part.name} *)0)->m{i})" for i in range(len(part.members)))
            parts += c_declaration(part), _LAYOUT.format(t=part.name, offsets=f"{offsets}, {sizes}")
        parts.append(_CALLS.format(t=shape.name))
    return "".join(parts)


def abi_type(shape: Shape, address_of: Callable[[str], int]) -> AbiType:
    """The aggregate as the compiler laid it out; `address_of(symbol)` finds the exported layout."""
    count = len(shape.members)
    layout = (ctypes.c_uint64 * (2 + 2 * count)).from_address(address_of(f"layout_{shape.name}"))
    fields = []
    for index, member in enumerate(shape.members):
        offset, size = layout[2 + index], layout[2 + count + index]
        if member.bits:
            fields.append(Field(offset, abi.UINT8, size))
        elif isinstance(member.type, str):
            fields.append(Field(offset, SCALARS[member.type], member.count))
        else:
            fields.append(Field(offset, abi_type(member.type, address_of), member.count))
    return abi.aggregate(layout[0], layout[1], tuple(fields), shape.name)


def significant(type: AbiType, start: int = 0) -> Iterator[int]:
    """The positions of the bytes that hold values: padding is free to change on the way."""
    for field in type.fields:
        for index in range(field.count):
            offset = start + field.offset + index * field.type.size
            if field.type.kind is Kind.AGGREGATE:
                yield from significant(field.type, offset)
            else:
                size = LONG_DOUBLE_VALUE if field.type == abi.LONGDOUBLE else field.type.size
                yield from range(offset, offset + size)


def masked(type: AbiType, data: bytes) -> bytes:
    """`data` with its padding zeroed."""
    out = bytearray(type.size)
    for position in significant(type):
        out[position] = data[position]
    return bytes(out)


def value(type: AbiType, dice: random.Random) -> bytes:
    """Random content; bools are 0 or 1, for C may do anything with others."""
    data = bytearray(dice.randbytes(type.size))
    _normalise(type, data, 0)
    return bytes(data)


def _normalise(type: AbiType, data: bytearray, start: int) -> None:
    for field in type.fields:
        for index in range(field.count):
            offset = start + field.offset + index * field.type.size
            if field.type.kind is Kind.AGGREGATE:
                _normalise(field.type, data, offset)
            elif field.type.kind is Kind.BOOL:
                data[offset] &= 1
