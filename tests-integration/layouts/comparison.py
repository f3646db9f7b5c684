"""Draws declarations, asks the compiler about them in batches, and compares."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packages/epsilon-foreign-backend/tests/support"))

from random_types import LAYOUT, Aggregate, definitions, draw, shrink  # noqa: E402

from .described import Described, describe  # noqa: E402
from .probes import probes, spots  # noqa: E402
from .program import Answer, Question, answers, source  # noqa: E402
from .target import Target  # noqa: E402

#: Declarations a compilation: enough to make the compiler's start cheap, few enough for two to run at once.
BATCH = 250


@dataclass
class Result:
    """What was compared, and what differed."""

    types: int = 0
    fields: int = 0
    differences: list[str] = field(default_factory=list)


def compare(count: int, seed: int, target: Target, most_differences: int = 5) -> Result:
    """Compare the declarations of seeds `seed` to `seed + count - 1`; stops after `most_differences`."""
    result = Result()
    batches = [range(start, min(start + BATCH, seed + count)) for start in range(seed, seed + count, BATCH)]
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda seeds: _batch(seeds, target, result, most_differences), batches):
            result.types += found.types
            result.fields += found.fields
            result.differences += found.differences
    return result


def _batch(seeds: range, target: Target, so_far: Result, most_differences: int) -> Result:
    result = Result()
    if len(so_far.differences) >= most_differences:
        return result
    drawn = [draw(random.Random(seed), f"t{seed}", LAYOUT) for seed in seeds]
    pairs = [question_of(type, seed, target) for type, seed in zip(drawn, seeds, strict=True)]
    questions = [question for _, question in pairs]
    output = target.output(source(questions))
    for seed, (described, question), answer in zip(seeds, pairs, answers(questions, output), strict=True):
        result.types += 1
        result.fields += len(question.probes)
        if len(result.differences) >= most_differences:
            break
        if next(_differences(described, question, answer, target), None):
            result.differences.append(_report(question.type, seed, target))
    return result


def question_of(type: Aggregate, seed: int, target: Target) -> tuple[Described, Question]:
    """A drawn type with our layout of it, and what to ask C."""
    dice = random.Random(seed)
    described = describe(type, target.rules)
    found = list(spots(described, dice))
    return described, Question(
        type, [spot for spot in found if spot.declared.bits is None], probes(found, dice)
    )


def _differences(described: Described, question: Question, answer: Answer, target: Target) -> Iterator[str]:
    """What we say that C does not, one a line."""
    layout = described.layout
    if (layout.size, layout.alignment) != (answer.size, answer.alignment):
        yield (f"sizeof {layout.size}, _Alignof {layout.alignment}; in C {answer.size}, {answer.alignment}")
    for spot, offset in zip(question.offsets, answer.offsets, strict=True):
        if spot.offset != offset:
            yield f"{spot.path} at {spot.offset}; in C at {offset}"
    for probe, content, value in zip(question.probes, answer.contents, answer.values, strict=True):
        expected = probe.expected(layout.size, target.long_double)
        if expected != content:
            yield f"{probe.spot.path} = {probe.value}: {expected.hex(' ')}; in C {content.hex(' ')}"
        if value is not None and (value - int(probe.value.real)) % (1 << 64):
            yield f"{probe.spot.path} = {probe.value} reads as {value} in C"
        if value is not None and not 0 <= probe.spot.offset <= layout.size - probe.spot.placed.size:
            yield f"{probe.spot.path} is reached through bytes outside the struct: {probe.spot.placed}"


def _report(type: Aggregate, seed: int, target: Target) -> str:
    """The smallest declaration that still differs, and how."""

    def lines(candidate: Aggregate) -> list[str]:
        try:
            described, question = question_of(candidate, seed, target)
            answer = next(answers([question], target.output(source([question]))))
        except (RuntimeError, ValueError, TypeError):
            return []  # what is left is no valid C, or no declaration of ours
        return list(_differences(described, question, answer, target))

    smallest = shrink(type, lambda candidate: bool(lines(candidate)))
    return f"seed {seed}, {' '.join(target.compiler)}:\n{definitions(smallest)}" + "\n".join(lines(smallest))
