"""Measuring in a fresh interpreter: a statement's seconds, and the memory its process took."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

#: What a child runs: `setup`, then `statement` timed, then it prints what it has measured.
_PROGRAM = """
import gc, json, resource, sys, time
{setup}
gc.collect()
began = time.perf_counter()
{statement}
seconds = time.perf_counter() - began
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps({{"seconds": seconds, "peak": peak}}))
"""


class Task(NamedTuple):
    """A statement to time, after a `setup` that is not timed."""

    statement: str
    setup: str = ""


class Measured(NamedTuple):
    """Seconds that the statement took, and the greatest resident set of its process, in bytes."""

    seconds: float
    peak: int


class FailedError(RuntimeError):
    """A statement that could not be measured; the message is the interpreter's."""


def measure(task: Task) -> Measured:
    """Run a task in a fresh interpreter. Raises FailedError."""
    program = _PROGRAM.format(setup=task.setup, statement=task.statement)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise FailedError((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def take_turns(tasks: dict[str, Task], runs: int) -> dict[str, list[Measured]]:
    """Measure several tasks `runs` times, each once a round, so that what disturbs one disturbs all."""
    found: dict[str, list[Measured]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            found[name].append(measure(task))
    return found
