"""The function benchmark that nanobind publishes: 720 functions of the six mixed arithmetic arguments, in
every order.

https://nanobind.readthedocs.io/en/latest/benchmark.html describes it. Here the functions live in a C library
that all peers call, and the size is that of what a peer adds for them: an extension module (stripped,
size-optimised), or our generated code.
"""

from __future__ import annotations

from ...operation import Operation
from ...suite import Figure, Suite
from .binding import SAMPLERS
from .setups import SETUPS
from .sources import COUNT

SUITE = Suite(
    name="microbenchmark",
    title="nanobind's microbenchmark",
    operations=(
        # Integers for all six, the float included: so are the published calls.
        Operation("first", "the first of 720, f(1, 2, 3, 4, 5, 6)", "f(1, 2, 3, 4, 5, 6)", 21.0),
        Operation("all", "the 720 in turn, each", "run(functions)", COUNT * 21.0, inner=COUNT, unroll=1),
    ),
    setups=SETUPS,
    figures=(
        Figure("make", "compile 720 functions", "s"),
        Figure("load", "bind or import 720 functions", "ms"),
        Figure("touch", "the same, and call each once", "ms"),
        Figure("size", "code for 720 functions", "bytes"),
    ),
    samplers=SAMPLERS,
    thorough=True,
    note="Nanoseconds per call, the empty loop subtracted.",
)
