"""What this package promises of speed, measured: ``python -m epsilon.foreign.ext.platform bench``.

A benchmark of its own rather than rows in that of epsilon-foreign-ext-perf: extensions do not know of each other. Each
module of `SUITES` has a function ``measure(quick) -> Iterable[Row]``; both sides of a ratio are measured in one run, in
turns, and the median counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import NamedTuple

#: The modules of this folder that measure something.
SUITES = ("searching", "inspecting", "isolating")


class Row(NamedTuple):
    """One measurement, in seconds. `goal` is the most that `ours` may be, `than` who else was measured, in `theirs`."""

    suite: str
    what: str
    ours: float
    goal: float | None = None
    than: str = ""
    theirs: float | None = None

    @property
    def met(self) -> bool | None:
        """Was the goal met? None where there is none."""
        return None if self.goal is None else self.ours <= self.goal


def rows(suites: Iterable[str] = SUITES, *, quick: bool = False) -> Iterator[Row]:
    """The measurements of the suites, as they are made."""
    for name in suites:
        yield from import_module(f"{__name__}.{name}").measure(quick)
