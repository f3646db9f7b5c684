"""What is measured: an operation, and what one contestant brings to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .contestant import BOTH, Gil


class Operation(NamedTuple):
    """One row of a table.

    `statement` is timed with the names that a contestant's `Subject` supplies. `expected` is what the
    statement must give before its time means anything (None where it is no expression); an Ellipsis leaves
    that to the subject's own check. `inner` is how many units one execution stands for (rows, functions in
    turn): times are per unit. `unroll` is how often the statement stands in the loop's body. `rounds` limits
    the number of timings of what takes long; 0 is no limit. `gils` are the treatments of the lock that the
    operation is measured with.
    """

    name: str
    label: str
    statement: str
    expected: Any = ...
    inner: int = 1
    unroll: int = 20
    rounds: int = 0
    gils: tuple[Gil, ...] = BOTH


class Subject(NamedTuple):
    """What a contestant brings to one operation.

    `names` become local variables of the timing function. `statement` replaces the operation's where the
    contestant needs another form, `inner` the operation's where it depends on the run. `check` replaces the
    comparison with the operation's `expected`.
    """

    names: Mapping[str, Any]
    statement: str | None = None
    check: Callable[[Any], bool] | None = None
    inner: int | None = None


class WrongResultError(Exception):
    """A contestant's answer was not the expected one: its time would mean nothing."""


def verify(operation: Operation, subject: Subject) -> None:
    """Run the statement once. Raises WrongResultError when the result is wrong; other exceptions pass
    through."""
    result = _execute(subject.statement or operation.statement, dict(subject.names))
    if subject.check is not None:
        right = subject.check(result)
    else:
        right = operation.expected is Ellipsis or bool(result == operation.expected)
    if not right:
        raise WrongResultError(f"{operation.name} gave {result!r}, expected {operation.expected!r}")


def _execute(statement: str, names: dict[str, Any]) -> Any:
    """The value of an expression; None for a statement that is none, such as an assignment."""
    try:
        code = compile(statement, "<operation>", "eval")
    except SyntaxError:
        code = compile(statement, "<operation>", "exec")
    return eval(code, {}, names)
