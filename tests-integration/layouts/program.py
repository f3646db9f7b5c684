"""The C program that answers the probes, and its answers."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from random_types import PRELUDE, Aggregate, definitions

from .probes import Probe, Spot, literal

_START = f"""#include <stdio.h>
{PRELUDE}
static void put(const void *p, size_t n) {{ if (n && fwrite(p, 1, n, stdout) != n) __builtin_abort(); }}
#define SET(fill, field, value) memset(&x, fill, sizeof x); x.field = value; put(&x, sizeof x);
#define GET(field) v = x.field; put(&v, sizeof v);
"""


@dataclass(frozen=True)
class Question:
    """All that is asked about one type."""

    type: Aggregate
    offsets: list[Spot]
    probes: list[Probe]


@dataclass(frozen=True)
class Answer:
    """What C says: sizes and offsets in bytes; for each probe the struct's bytes and, of a bit-field, its
    value.
    """

    size: int
    alignment: int
    offsets: list[int]
    contents: list[bytes]
    values: list[int | None]


def source(questions: Iterable[Question]) -> str:
    """The program: it writes its answers to standard output, in order."""
    texts = [_START]
    calls = []
    for question in questions:
        name = question.type.name
        texts += definitions(question.type), _function(question)
        calls.append(f"ask_{name}();")
    texts.append(f"int main(void) {{ {' '.join(calls)} return fflush(stdout) ? 1 : 0; }}\n")
    return "".join(texts)


def _function(question: Question) -> str:
    name = question.type.name
    offsets = "".join(f", offsetof({name}, {spot.path})" for spot in question.offsets)
    lines = [f"uint64_t n[] = {{ sizeof({name}), _Alignof({name}){offsets} }}; put(n, sizeof n);"]
    for probe in question.probes:
        lines.append(f"SET({probe.fill}, {probe.spot.path}, {literal(probe.type, probe.value)})")
        if probe.spot.declared.bits is not None:
            lines.append(f"GET({probe.spot.path})")
    body = "\n".join(lines)
    return f"static void ask_{name}(void)\n{{\n{name} x; long long v;\n{body}\n}}\n"


def answers(questions: Iterable[Question], output: bytes) -> Iterator[Answer]:
    """Take the program's output apart."""
    stream = io.BytesIO(output)
    for question in questions:
        size, alignment, *offsets = struct.unpack(
            f"={2 + len(question.offsets)}Q", stream.read(8 * (2 + len(question.offsets)))
        )
        contents: list[bytes] = []
        values: list[int | None] = []
        for probe in question.probes:
            contents.append(stream.read(size))
            values.append(
                struct.unpack("=q", stream.read(8))[0] if probe.spot.declared.bits is not None else None
            )
        yield Answer(size, alignment, offsets, contents, values)
    if stream.read(1):
        raise RuntimeError("the C program said more than it was asked")
