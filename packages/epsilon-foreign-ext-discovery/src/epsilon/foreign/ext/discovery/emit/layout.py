"""Breaking long lines as ruff breaks them (https://docs.astral.sh/ruff/formatter/).

What is in brackets stands on one line if that fits; otherwise each element has a line of its own with a comma behind
it. That comma keeps the elements apart, so nothing depends on how many would fit together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .literals import WIDTH

STEP = "    "


@dataclass(frozen=True, slots=True)
class Brackets:
    """``head[item, item]``; without a head a list."""

    head: str
    items: tuple[Expression, ...]


Expression: TypeAlias = str | Brackets


def flat(expression: Expression) -> str:
    """On one line."""
    if isinstance(expression, str):
        return expression
    return f"{expression.head}[{', '.join(map(flat, expression.items))}]"


def broken(expression: Expression, before: str, after: str, indent: str) -> list[str]:
    """Lines for ``before expression after``, where `before` has the indent of its line already."""
    line = before + flat(expression) + after
    if len(line) <= WIDTH or isinstance(expression, str) or not expression.items:
        return [line]
    inner = indent + STEP
    lines = [f"{before}{expression.head}["]
    # A comma behind the only element of a subscript would make a tuple of it.
    comma = "," if len(expression.items) > 1 or not expression.head else ""
    for item in expression.items:
        lines += broken(item, inner, comma, inner)
    return [*lines, f"{indent}]{after}"]


def assignment(target: str, value: str) -> list[str]:
    """``target = value``: a value that fits only on a line of its own gets one."""
    line = f"{target} = {value}"
    if len(line) > WIDTH >= len(STEP + value):
        return [f"{target} = (", STEP + value, ")"]
    return [line]


def call(function: str, arguments: Sequence[str]) -> list[str]:
    """A statement that is a call."""
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return [line]
    return [f"{function}(", *(f"{STEP}{argument}," for argument in arguments), ")"]
