"""The timing loop, compiled anew for every contestant.

CPython keeps what it learned about a call site in the code object (PEP 659). A loop shared between
contestants would see many types at one site and be specialised for none; a fresh code object each time gives
every contestant the same chance. The statement stands in the body several times so that the loop itself
weighs little, and everything it names is a local variable.

The clock counts the processor time of this thread where the system has a fine one: what other processes take
while a timing lasts then does not count. On an idle machine it agrees with the wall clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import repeat
from time import get_clock_info, perf_counter_ns, thread_time_ns
from typing import Any

_TEMPLATE = """\
def timed(_iterations, _clock, {parameters}):
    _started = _clock()
    for _ in _iterations:
        {body}
    return _clock() - _started
"""


def _clock() -> Callable[[], int]:
    try:
        fine = get_clock_info("thread_time").resolution <= 1e-6
    except ValueError:
        return perf_counter_ns
    return thread_time_ns if fine else perf_counter_ns


#: Nanoseconds, from an arbitrary start.
CLOCK = _clock()


class Loop:
    """A statement, ready to be timed. `units` is how many units one iteration of the loop performs."""

    __slots__ = ("_function", "_values", "iterations", "units")

    def __init__(self, statement: str, names: Mapping[str, Any], unroll: int = 20, inner: int = 1) -> None:
        body = "\n        ".join([statement] * unroll)
        source = _TEMPLATE.format(parameters=", ".join(names), body=body)
        scope: dict[str, Any] = {}
        exec(compile(source, "<timing loop>", "exec"), scope)
        self._function: Callable[..., int] = scope["timed"]
        self._values = tuple(names.values())
        self.units = unroll * inner
        self.iterations = 1

    def time(self) -> int:
        """Run `iterations` times; nanoseconds taken."""
        return self._function(repeat(None, self.iterations), CLOCK, *self._values)

    def calibrate(self, chunk: int) -> None:
        """Choose `iterations` so that one timing takes at least `chunk` nanoseconds; warms the code up on the
        way."""
        self.iterations = 1
        while (taken := self.time()) < chunk:
            # Grow towards the goal, but not all at once: the first timings are those of unspecialised code.
            wanted = self.iterations * chunk // max(taken, 1) + 1
            self.iterations = min(max(wanted, self.iterations + 1), self.iterations * 10)


def empty(unroll: int = 1) -> Loop:
    """A loop that does nothing: what has to be subtracted, once per iteration."""
    return Loop("pass", {}, unroll)
