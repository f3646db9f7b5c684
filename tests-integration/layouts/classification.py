"""Compares where aggregates travel with what compiled C does."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from epsilon.foreign.backend import Kind
from random_types import BY_VALUE, definitions, draw

from .asking_registers import SEEN, source
from .described import Described, describe
from .target import Target
from .travel import CONVENTIONS, Aapcs64, Piece, SystemV

Rules = type[SystemV] | type[Aapcs64]

PROFILE = replace(BY_VALUE, anonymous=0.3, unnamed=0.15, bitfield=0.2)
MOST_BYTES = 128


def classified_wrongly(count: int, seed: int, target: Target) -> tuple[int, list[str]]:
    """How many types were compared, and each that C passes otherwise, with where it was looked for."""
    drawn = [
        describe(draw(random.Random(s), f"t{s}", PROFILE), target.rules) for s in range(seed, seed + count)
    ]
    found = [type for type in drawn if 0 < type.layout.size <= MOST_BYTES and not has_empty(type)]
    convention = CONVENTIONS[target.convention]
    output = io.BytesIO(target.output(source((type, convention.is_x87(type.abi)) for type in found)))
    wrong = []
    for type in found:
        missed = list(_missed(type, output, convention))
        if missed:
            wrong.append(f"{definitions(type.declared)}{type.layout.fields}\n" + "\n".join(missed))
    return len(found), wrong


def has_empty(type: Described) -> bool:
    """Has it a member without a size? Compilers do not agree on what that does to its class."""
    return any(inner is not None and (inner.layout.size == 0 or has_empty(inner)) for inner in type.inner)


def _missed(type: Described, output: io.BytesIO, convention: Rules) -> Iterator[str]:
    abi = type.abi
    early, copy = output.read(SEEN), output.read(abi.size)
    late = output.read(SEEN)
    result, memory = output.read(SEEN), output.read(abi.size)
    yield from _compare("argument", type, convention.early(abi), early, copy)
    yield from _compare("argument after all registers", type, convention.late(abi), late, b"")
    yield from _compare("result", type, convention.result(abi), result, memory)


def _compare(
    what: str, type: Described, pieces: Iterable[Piece], seen: bytes, memory: bytes
) -> Iterator[str]:
    values = set(occupied(type))
    for piece in pieces:
        content = memory[piece.offset :] if piece.where is None else seen[piece.where :]
        for index in range(piece.size):
            position = piece.offset + index
            # Byte i of the aggregate holds i + 1; C need not carry padding along.
            if position in values and content[index] != position + 1:
                yield f"{what}: not found as {piece}: {content[: piece.size].hex(' ')}"
                break


def occupied(type: Described, start: int = 0) -> Iterator[int]:
    """The positions of the bytes that hold values of named members."""
    members = zip(type.declared.members, type.layout.placed, type.inner, strict=True)
    for declared, placed, inner in members:
        first = start + placed.offset
        if declared.bits is not None:
            if declared.name is not None:
                count = -(-(placed.shift % 8 + placed.width) // 8)
                yield from range(first + placed.shift // 8, first + placed.shift // 8 + count)
            continue
        element = placed.member.type
        for offset in range(first, first + placed.size, element.size or 1):
            if inner is not None:
                yield from occupied(inner, offset)
            else:
                # What every long double holds: the last six bytes of x87's are padding.
                long = element.kind is Kind.FLOAT and element.size > 8
                yield from range(offset, offset + (10 if long else element.size))
