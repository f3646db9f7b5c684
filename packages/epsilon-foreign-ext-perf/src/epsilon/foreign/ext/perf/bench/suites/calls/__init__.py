"""Single calls, from nothing to a string and a buffer: what a call costs beyond the function called."""

from __future__ import annotations

from ...suite import Suite
from .operations import OPERATIONS
from .setups import SETUPS

SUITE = Suite(
    name="calls",
    title="One call",
    operations=OPERATIONS,
    setups=SETUPS,
    headline=True,
    note="Nanoseconds per call, the empty loop subtracted.",
)
