"""libm: cosines, compared bit by bit with Python's own."""

from __future__ import annotations

import math
from collections.abc import Iterator

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
from report import agree

TITLE = "cosines by libm"
LIBRARY = "m"
ANGLES = 1000


def run(library: ffi.Library) -> Iterator[str]:
    """Compute `ANGLES` cosines around the circle, and hypotenuses."""

    @library.function
    def cos(x: c.double) -> c.double:
        """The cosine of x, in radians."""

    @library.function
    def hypot(x: c.double, y: c.double) -> c.double: ...

    shown = "  ".join(f"cos({name}) = {cos(x):+.3f}" for name, x in _ANGLES.items())
    yield shown
    angles = [2 * math.pi * i / ANGLES for i in range(ANGLES)]
    agree("the cosines", [cos(x) for x in angles], [math.cos(x) for x in angles])
    agree("hypot(3, 4)", hypot(x=3, y=4), 5.0)
    yield f"{ANGLES:,} cosines equal math.cos's to the last bit; hypot(3, 4) = {hypot(3, 4)}"


_ANGLES = {"0": 0.0, "π/3": math.pi / 3, "π/2": math.pi / 2, "π": math.pi}
