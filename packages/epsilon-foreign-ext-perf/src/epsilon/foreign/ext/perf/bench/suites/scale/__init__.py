"""Many functions: the time and the code that 2,000 of them over 200 signatures take, and a signature's first
call."""

from __future__ import annotations

from ...suite import Figure, Suite
from .samplers import SAMPLERS

SUITE = Suite(
    name="scale",
    title="Scale",
    figures=(
        Figure("bind", "bind 2,000 functions over 200 signatures", "ms"),
        Figure("use", "the same, and call each once", "ms"),
        Figure("code", "code generated for them", "bytes"),
        Figure("first", "bind and first call of a new signature, median of 200", "us"),
        Figure("slowest", "the same, slowest of 200", "us"),
    ),
    samplers=SAMPLERS,
)
