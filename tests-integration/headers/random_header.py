"""Random declarations, through discovery, beside what the C compiler makes of the same text."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import epsilon.foreign.api as ffi
from epsilon.foreign.ext import discovery
from layouts.comparison import question_of
from layouts.probes import Probe
from layouts.program import Answer, Question, answers, source
from layouts.target import Target
from random_types import LAYOUT, PRELUDE, Aggregate, definitions, draw


def differences(seeds: range, folder: Path, target: Target) -> Iterator[str]:
    """What bindings of random structs and unions say that C does not. The number in a name is the seed."""
    types = [draw(random.Random(seed), f"t{seed}", LAYOUT) for seed in seeds]
    drawn = [type for type in types if not _is_disputed(type)]
    questions = [question_of(type, seeds.start, target)[1] for type in drawn]
    header = folder / f"random{seeds.start}.h"
    header.write_text(PRELUDE + "".join(map(definitions, drawn)))
    lib = discovery.bind(header, cache=False)
    output = target.output(source(questions))
    for question, answer in zip(questions, answers(questions, output), strict=True):
        for difference in _of_one(getattr(lib, question.type.name), question, answer):
            yield f"{question.type.name}: {difference}\n{definitions(question.type)}"


def _is_disputed(type: Aggregate) -> bool:
    """Of a bit-field that asks for an alignment, gcc and clang do not agree where it is; discovery asks clang."""
    return any(
        (each.bits is not None and each.align is not None)
        or (isinstance(each.type, Aggregate) and _is_disputed(each.type))
        for each in type.members
    )


def _of_one(cls: Any, question: Question, answer: Answer) -> Iterator[str]:
    if (ffi.sizeof(cls), ffi.alignof(cls)) != (answer.size, answer.alignment):
        yield f"{ffi.sizeof(cls)} bytes aligned to {ffi.alignof(cls)}; in C {answer.size} to {answer.alignment}"
        return
    for probe, content in zip(question.probes, answer.contents, strict=True):
        written = _written(cls, probe, answer.size)
        if written != content:
            yield f"{probe.spot.path} = {probe.value}: {written.hex(' ')}; in C {content.hex(' ')}"


def _written(cls: Any, probe: Probe, size: int) -> bytes:
    """The bytes of a struct, filled, after the assignment that C made too: its expression is one of Python's."""
    made = ffi.new(cls)
    data = memoryview(made).cast("B")
    data[:] = bytes([probe.fill]) * size
    value: Any = probe.value
    if str(probe.spot.declared.type) == "void *":
        value = ffi.Pointer.from_address(int(probe.value.real) & (1 << 64) - 1)
    exec(f"made.{probe.spot.path} = value", {"made": made, "value": value})
    return bytes(data)
