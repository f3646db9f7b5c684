"""The 720 functions of each peer, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...building.workshop import Workshop
from ...contestant import Contestant
from ...operation import Subject
from ...suite import Setup
from . import binding

#: Compiled anew for each contestant, so that each has a call site of its own.
_RUN = """\
def run(functions):
    total = 0.0
    for f in functions:
        total += f(1, 2, 3, 4, 5, 6)
    return total
"""


def _set_up(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    bound: Sequence[Callable[..., Any]] = binding.functions(
        workshop, contestant, binding.build(workshop, contestant)
    )
    scope: dict[str, Any] = {}
    exec(compile(_RUN, "<microbenchmark>", "exec"), scope)
    return {"first": Subject({"f": bound[0]}), "all": Subject({"run": scope["run"], "functions": bound})}


SETUPS: dict[str, Setup] = dict.fromkeys(binding.SAMPLERS, _set_up)
