"""``diff``: what an upgrade of a library changed."""

from __future__ import annotations

import argparse
import sys

from ..compare import Change, Effect, compare_bindings
from ..file import read_binding
from .output import put_json
from .progress import doing
from .style import Style, printable

_MARKS = {Effect.ABI: ("ABI", "red"), Effect.SOURCE: ("API", "yellow"), Effect.NONE: ("", "green")}


def run(options: argparse.Namespace) -> int:
    """Compare, and return the exit code: 1 when the ABI is broken."""
    with doing("comparing"):
        old = read_binding(options.old, any_target=True)
        new = read_binding(options.new, any_target=True)
        changes = compare_bindings(old, new)
    breaks = sum(change.effect is Effect.ABI for change in changes)
    if options.json:
        put_json({"abi_breaks": breaks, "changes": [_as_json(change) for change in changes]})
    else:
        style = Style(sys.stdout)
        for change in changes:
            print("\n".join(_lines(change, style)))
        print(style(_verdict(changes, breaks), "bold"))
    return 1 if breaks else 0


def _lines(change: Change, style: Style) -> list[str]:
    mark, colour = _MARKS[change.effect]
    sign = {"added": "+", "removed": "-", "changed": "~"}[change.action]
    head = printable(f"{sign} {change.kind} {change.name}")
    return [
        f"{style(mark.ljust(4), colour)} {style(head, colour)}",
        *(f"       {printable(detail)}" for detail in change.details),
    ]


def _verdict(changes: list[Change], breaks: int) -> str:
    if not changes:
        return "no changes"
    total = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    return f"{total}, {breaks or 'none'} of them {'breaks' if breaks == 1 else 'break'} the ABI"


def _as_json(change: Change) -> dict[str, object]:
    return {
        "kind": change.kind,
        "name": change.name,
        "action": change.action,
        "effect": change.effect.value,
        "details": list(change.details),
    }
