"""Medians over rounds in which everything takes its turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence


def in_turns(subjects: Mapping[str, Callable[[], object]], rounds: int, calls: int = 1) -> dict[str, float]:
    """The median time of a call of each subject, in seconds."""
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, subject in subjects.items():
            begin = time.perf_counter()
            for _ in range(calls):
                subject()
            taken[name].append((time.perf_counter() - begin) / calls)
    return {name: statistics.median(times) for name, times in taken.items()}


#: Prints the processor time that ``call()`` took the first time in a process that has done nothing else, in seconds.
#: What processes took that it started counts, time spent waiting for other processes of the machine does not.
_COLD = """
import ctypes, ctypes.util, resource
{setup}
def used():
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)
begin = used()
call()
print(used() - begin)
"""


def cold(setups: Mapping[str, str], rounds: int) -> dict[str, float]:
    """The median processor time of the first ``call()`` in a fresh process, for each setup that defines it."""
    taken: dict[str, list[float]] = {name: [] for name in setups}
    for _ in range(rounds):
        for name, setup in setups.items():
            taken[name].append(float(_run(["-c", _COLD.format(setup=setup)])))
    return {name: statistics.median(times) for name, times in taken.items()}


def _run(arguments: Sequence[str]) -> str:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout
