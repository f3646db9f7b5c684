"""The built-in suites. Importing this package registers them, in the order in which reports show them."""

from __future__ import annotations

from ..suite import register
from . import callbacks, calls, data, microbenchmark, scale, sqlite

for _suite in (calls.SUITE, data.SUITE, callbacks.SUITE, sqlite.SUITE, microbenchmark.SUITE, scale.SUITE):
    register(_suite)
