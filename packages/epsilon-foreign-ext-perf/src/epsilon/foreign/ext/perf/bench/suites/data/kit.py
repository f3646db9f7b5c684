"""What a peer brings to the suite, and how subjects are made of it: the same way for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from ...contestant import UnavailableError
from ...operation import Subject
from . import operations as op

Subjects = Mapping[str, Subject | UnavailableError]


class Making(NamedTuple):
    """One expression that makes something, and the names it needs."""

    expression: str
    names: Mapping[str, Any]


class Kit(NamedTuple):
    """A peer's ways of making and holding C data.

    `entry` makes a zeroed ``struct entry``, `numbers` a zeroed ``int[1000]``, `pointer` an ``int *`` to the
    first of as many and what keeps them alive. `point` makes a point of `x` and `y`. `memory` makes 64 zeroed
    bytes; `scope` is the ``with`` item around many of them, for a peer that frees them together.
    """

    entry: Callable[[], Any]
    numbers: Callable[[], Any]
    pointer: Callable[[], tuple[Any, Any]]
    point: Making
    memory: Making | UnavailableError
    scope: str = ""


class Functions(NamedTuple):
    """A peer's functions, and what it passes: structs by value, and a point by address in two ways."""

    swap_point: Callable[..., Any]
    step_entry: Callable[..., Any]
    swap_block: Callable[..., Any]
    add_point: Callable[..., Any]
    point: Any
    entry: Any
    block: Any
    lent: Any
    pointer: Any


def without_calls(kit: Kit) -> dict[str, Subject | UnavailableError]:
    """The operations that call nothing."""
    x, y = op.POINT
    return {
        "read_int": Subject({"s": _entry(kit)}),
        "write_int": _writing(_entry(kit), "count", op.NEW_NUMBER),
        "read_double": Subject({"s": _entry(kit)}),
        "write_double": _writing(_entry(kit), "amount", op.NEW_REAL),
        "create": Subject({**kit.point.names, "x": x, "y": y}, kit.point.expression, members("xy", op.POINT)),
        "item": _element(kit.numbers()),
        "set_item": _set_element(kit.numbers()),
        "element": _element(*kit.pointer()),
        "set_element": _set_element(*kit.pointer()),
        "allocate": kit.memory
        if isinstance(kit.memory, UnavailableError)
        else _filling(kit.memory, kit.scope),
    }


def with_calls(functions: Functions) -> dict[str, Subject | UnavailableError]:
    """The operations that call C."""
    a, b, c, d, e, f = op.BLOCK
    count, amount = op.ENTRY
    of_block = members("abcdef", (b, a, d, c, f, e))
    of_entry = members(("count", "amount"), (count + 1, amount * 2))
    return {
        "value8": Subject(
            {"f": functions.swap_point, "s": functions.point}, check=members("xy", op.POINT[::-1])
        ),
        "value16": Subject({"f": functions.step_entry, "s": functions.entry}, check=of_entry),
        "value40": Subject({"f": functions.swap_block, "s": functions.block}, check=of_block),
        "lend": Subject({"f": functions.add_point, "s": functions.lent}),
        "point": Subject({"f": functions.add_point, "s": functions.pointer}),
    }


def members(names: Sequence[str], values: Sequence[object]) -> Callable[[Any], bool]:
    """A check that a struct's members have these values."""

    def check(struct: Any) -> bool:
        return [getattr(struct, name) for name in names] == list(values)

    return check


def _entry(kit: Kit) -> Any:
    entry = kit.entry()
    entry.count, entry.amount = op.ENTRY
    return entry


def _writing(entry: Any, member: str, value: object) -> Subject:
    return Subject({"s": entry, "value": value}, check=lambda _: getattr(entry, member) == value)


def _element(numbers: Any, owner: Any = None) -> Subject:
    numbers[op.INDEX] = op.NUMBER
    return Subject({"p": numbers, "i": op.INDEX, "owner": owner})


def _set_element(numbers: Any, owner: Any = None) -> Subject:
    return Subject(
        {"p": numbers, "i": op.INDEX, "value": op.NEW_NUMBER, "owner": owner},
        check=lambda _: numbers[op.INDEX] == op.NEW_NUMBER,
    )


_FILL = """\
def fill({parameters}):
    with {scope}:
        {before}
        for _ in range({times}):
            {body}
"""
_UNROLL = 20


def _filling(memory: Making, scope: str) -> Subject:
    """A function that makes all the allocations; compiled for this peer alone, so that its call sites are."""
    source = _FILL.format(
        parameters=", ".join(f"{name}={name}" for name in ("nullcontext", *memory.names)),
        scope=scope or "nullcontext()",
        before="alloc = arena.alloc" if scope else "pass",
        times=op.ALLOCATIONS // _UNROLL,
        body="; ".join([memory.expression] * _UNROLL),
    )
    names: dict[str, Any] = {"nullcontext": nullcontext, **memory.names}
    exec(compile(source, "<filling>", "exec"), names)
    return Subject({"fill": names["fill"]})
