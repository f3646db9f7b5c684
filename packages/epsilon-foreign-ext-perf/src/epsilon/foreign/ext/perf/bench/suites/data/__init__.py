"""C data: fields, elements, objects, memory, and structs on their way to C and back."""

from __future__ import annotations

from ...suite import Suite
from .operations import OPERATIONS
from .setups import SETUPS

SUITE = Suite(
    name="data",
    title="C data",
    operations=OPERATIONS,
    setups=SETUPS,
    headline=True,
    note=(
        "Nanoseconds, the empty loop subtracted; making an object includes dropping it. Arrays of ctypes and "
        "cffi check their bounds as ours do, their pointers (the rows of `int *`) do not. 64 bytes: ours lie "
        "in an arena, the share of making and closing it included; ctypes and cffi make and drop an array of "
        "64 char."
    ),
)
