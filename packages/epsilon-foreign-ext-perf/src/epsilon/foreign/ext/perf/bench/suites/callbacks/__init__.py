"""Callbacks: what it costs C to call a Python function, and to have one that it can call."""

from __future__ import annotations

from ...suite import Suite
from .operations import OPERATIONS
from .setups import SETUPS

SUITE = Suite(
    name="callbacks",
    title="Callbacks",
    operations=OPERATIONS,
    setups=SETUPS,
    headline=True,
    note=(
        "Nanoseconds per call from C, the Python function's own time and that of the loop in C included; the "
        "function is the same for all. Held or released is the lock while C runs."
    ),
)
