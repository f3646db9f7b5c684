"""A struct's layout as a drawing: offsets, sizes, padding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..ir import Binding, Field, Record, RecordName
from ..sizes import size_of
from .c_text import c_text
from .output import table


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
