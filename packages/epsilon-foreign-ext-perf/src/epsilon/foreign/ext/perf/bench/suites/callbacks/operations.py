"""What calls back, the Python functions that are called, and the right answers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...contestant import Gil
from ...operation import Operation

#: Calls that the loop in C makes.
CALLS = 100_000
#: Numbers that qsort sorts.
COUNT = 10_000

#: Compiled anew for each contestant: the interpreter specialises code for what it meets (PEP 659), and the
#: pointers that are compared are of another class with each.
_FUNCTIONS = """\
def step(x):
    return x + 1

def compare(a, b):
    return a[0] - b[0]
"""

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "loop",
        "int f(int), from a loop in C",
        "run(f, n)",
        CALLS * (CALLS + 1) // 2,
        CALLS,
        unroll=1,
        rounds=21,
    ),
    Operation("qsort", "qsort's comparison of two int *", "run(f)", unroll=1, rounds=9),
    Operation("new_callback", "make a callback and release it", "make(type, f)", gils=(Gil.UNTOUCHED,)),
)


def functions() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A fresh pair: one that adds, one that compares."""
    scope: dict[str, Any] = {}
    exec(compile(_FUNCTIONS, "<callbacks>", "exec"), scope)
    return scope["step"], scope["compare"]


@functools.cache
def checksum() -> int:
    """What `sort_numbers` returns for numbers in order: the sum of each times its place from one."""
    state, numbers = 1, []
    for _ in range(COUNT):
        # The generator of target.c.
        state = (state * 1103515245 + 12345) % 2**31
        numbers.append(state >> 11)
    return sum(place * number for place, number in enumerate(sorted(numbers), 1))
