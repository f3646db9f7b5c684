"""A struct's layout as a drawing: offsets, sizes, padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..ir import (
    Array,
    Binding,
    CType,
    EnumName,
    Field,
    FunctionType,
    Opaque,
    Pointer,
    Qualified,
    Record,
    RecordName,
    Scalar,
    TypedefName,
)
from .c_text import c_text
from .output import table

_SIZES = {"char": 1, "bool": 1, "short": 2, "int": 4, "long long": 8, "float": 4, "double": 8}


class Row(NamedTuple):
    """A part of a struct: bits from `begin` to `end`, where `text` is."""

    begin: int
    end: int
    text: str
    depth: int
    padding: bool = False


def rows(record: Record, binding: Binding) -> Iterator[Row]:
    """The members in order, those of anonymous members inside, with the padding between them."""
    yield from _rows(record, binding, 0, 0)


def _rows(record: Record, binding: Binding, base: int, depth: int) -> Iterator[Row]:
    at = base
    for field in record.fields:
        begin = base + 8 * field.offset + field.bit
        if not record.union and begin > at:
            yield Row(at, begin, "padding", depth, padding=True)
        end = begin + _bits(field, binding)
        inner = _inner(field, binding)
        text = (
            c_text(field.type, field.name) if inner is None else f"{'union' if inner.union else 'struct'} {{"
        )
        yield Row(begin, end, text + (f" : {field.bits}" if field.bits is not None else ""), depth)
        if inner is not None:
            yield from _rows(inner, binding, begin, depth + 1)
            yield Row(end, end, "}", depth)
        at = max(at, end)
    last = base + 8 * record.size
    if at < last and not record.union:
        yield Row(at, last, "padding", depth, padding=True)


def _inner(field: Field, binding: Binding) -> Record | None:
    if field.name or field.bits is not None or not isinstance(field.type, RecordName):
        return None
    return binding.records.get(field.type.name)


def _bits(field: Field, binding: Binding) -> int:
    return 8 * size_of(field.type, binding) if field.bits is None else field.bits


def size_of(type: CType, binding: Binding) -> int:
    """Bytes of a type; 0 where nobody knows."""
    match type:
        case Scalar("void"):
            return 0
        case Scalar(name):
            return _scalar(name, binding)
        case Pointer() | FunctionType():
            return binding.target.pointer
        case Qualified(inner):
            return size_of(inner, binding)
        case Array(element, count):
            return size_of(element, binding) * (count or 0)
        case Opaque(_, size):
            return size
        case TypedefName(name) if name in binding.typedefs:
            return size_of(binding.typedefs[name].type, binding)
        case EnumName(name) if name in binding.enums:
            return size_of(binding.enums[name].base, binding)
        case RecordName(name) if name in binding.records:
            return binding.records[name].size
    return 0


def _scalar(name: str, binding: Binding) -> int:
    base = name.removesuffix(" complex")
    twice = 2 if base != name else 1
    base = base.replace("unsigned ", "").replace("signed ", "")
    if base == "long":
        return binding.target.long
    if base == "long double":
        wide = {"i686": 12}.get(binding.target.arch, 16)
        return twice * (8 if binding.target.environment == "msvc" else wide)
    return twice * _SIZES[base]


def drawn(record: Record, binding: Binding) -> list[str]:
    """The lines of the drawing."""
    cells = [("offset", "size", "")]
    for row in rows(record, binding):
        at = f"{row.begin // 8}" + (f":{row.begin % 8}" if row.begin % 8 or (row.end - row.begin) % 8 else "")
        bits = row.end - row.begin
        size = f"{bits // 8}" if bits % 8 == 0 and row.begin % 8 == 0 else f"{bits}b"
        if row.text == "}":
            at = size = ""
        cells.append((at, size, "  " * row.depth + (f"({row.text})" if row.padding else row.text)))
    kind = "union" if record.union else "struct"
    head = f"{record.c_name or f'{kind} {record.name}'}: {record.size} bytes, aligned to {record.align}"
    return [head, *("  " + line for line in table(cells, right=(0, 1)))]
