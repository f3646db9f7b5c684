"""How long a run may take: the numbers of repetitions behind quick, default and thorough."""

from __future__ import annotations

from typing import NamedTuple


class Effort(NamedTuple):
    """What a mode means.

    `rounds`: timings per contestant and operation; their median is reported. `chunk`: nanoseconds that one
    timing should take at least. `processes`: fresh interpreters per contestant for what can be measured only
    once in a process. `rows`: rows of the database workload.
    """

    name: str
    rounds: int
    chunk: int
    processes: int
    rows: int


QUICK = Effort("quick", rounds=9, chunk=300_000, processes=1, rows=10_000)
DEFAULT = Effort("default", rounds=61, chunk=1_000_000, processes=5, rows=100_000)
THOROUGH = Effort("thorough", rounds=201, chunk=2_000_000, processes=11, rows=100_000)

EFFORTS = {effort.name: effort for effort in (QUICK, DEFAULT, THOROUGH)}
