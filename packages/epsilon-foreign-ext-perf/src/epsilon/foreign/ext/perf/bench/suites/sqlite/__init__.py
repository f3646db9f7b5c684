"""A real workload: reading a table through SQLite's own C interface, row by row, column by column."""

from __future__ import annotations

from ...operation import Operation
from ...suite import Suite
from .setups import SETUPS

SUITE = Suite(
    name="sqlite",
    title="SQLite",
    operations=(Operation("rows", "one row: step, an integer, a text", "scan()", unroll=1, rounds=11),),
    setups=SETUPS,
    note="Nanoseconds per row of a table of 100,000 (10,000 in quick runs), SQLite's own time included.",
)
