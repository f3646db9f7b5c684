"""Measuring in a fresh interpreter: a statement's seconds, and the memory its process took.

Seconds are the processor's: what is measured waits for nothing, and whatever else the machine does must not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import NamedTuple

#: What a child runs: `setup`, then `statement` timed, then it prints what it has measured.
_PROGRAM = """
import gc, json, resource, sys, time
{setup}
gc.collect()
began = time.process_time()
{statement}
seconds = time.process_time() - began
try:  # what getrusage says on Linux includes the process that started this one
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    peak = int(lines["VmHWM"].split()[0]) * 1024
except (OSError, KeyError):
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
    # Without bytecode files every start would compile everything anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise FailedError((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def take_turns(tasks: dict[str, Task], runs: int) -> dict[str, list[Measured]]:
    """Measure several tasks `runs` times, each once a round, so that what disturbs one disturbs all."""
    found: dict[str, list[Measured]] = {name: [] for name in tasks}
    for task in tasks.values():
        measure(task)  # the first run reads files that the others find in memory
    for _ in range(runs):
        for name, task in tasks.items():
            found[name].append(measure(task))
    return found
