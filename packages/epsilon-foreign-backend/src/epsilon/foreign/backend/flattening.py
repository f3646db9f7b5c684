"""The scalars inside an aggregate: all that a calling convention sees of its members."""

from __future__ import annotations

from collections.abc import Iterator

from .abi import AbiType, Kind


def scalars(type: AbiType, offset: int = 0) -> Iterator[tuple[int, AbiType]]:
    """Every scalar inside `type` with its offset in bytes; the halves of a complex number are scalars too."""
    if type.kind is Kind.COMPLEX:
        half = AbiType(Kind.FLOAT, type.size // 2, type.alignment, "part")
        yield offset, half
        yield offset + half.size, half
    elif type.kind is not Kind.AGGREGATE:
        yield offset, type
    else:
        for field in type.fields:
            for i in range(field.count):
                yield from scalars(field.type, offset + field.offset + i * field.type.size)
