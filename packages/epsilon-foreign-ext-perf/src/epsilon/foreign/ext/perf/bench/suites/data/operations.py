"""What is done with C data.

Integers are larger than those that CPython keeps ready (-5 to 256), so that every peer makes a new object for
what it reads.
"""

from __future__ import annotations

from ...contestant import Gil
from ...operation import Operation

#: Elements of the array, and the index of the one that is read and written.
LENGTH = 1_000
INDEX = 500
#: Of the fields and the element that are read.
NUMBER = 4_000
REAL = 2.25
#: What the writing operations write; different, so that a write that does nothing is noticed.
NEW_NUMBER = 5_000
NEW_REAL = 6.5
#: Members of the structs that are passed, in order.
POINT = (1_000, 3_000)
ENTRY = (NUMBER, REAL)
BLOCK = (1.5, 2.5, 3_000, 4_000, 5_000, 6_000)
#: Allocations that share one arena, and the bytes of each.
ALLOCATIONS = 1_000
BYTES = 64

_ALONE = (Gil.UNTOUCHED,)


def _alone(name: str, label: str, statement: str, expected: object = None) -> Operation:
    return Operation(name, label, statement, expected, gils=_ALONE)


OPERATIONS: tuple[Operation, ...] = (
    _alone("read_int", "read an int field", "s.count", NUMBER),
    _alone("write_int", "write an int field", "s.count = value"),
    _alone("read_double", "read a double field", "s.amount", REAL),
    _alone("write_double", "write a double field", "s.amount = value"),
    _alone("create", "point(1, 2)", "make(x, y)", ...),
    _alone("item", "p[i] of int[1000]", "p[i]", NUMBER),
    _alone("set_item", "p[i] = n of int[1000]", "p[i] = value"),
    _alone("element", "p[i] of int *", "p[i]", NUMBER),
    _alone("set_element", "p[i] = n of int *", "p[i] = value"),
    Operation("allocate", "64 bytes and their release", "fill()", inner=ALLOCATIONS, unroll=1, gils=_ALONE),
    Operation("value8", "struct f(struct of 8 bytes)", "f(s)"),
    Operation("value16", "struct f(struct of 16 bytes)", "f(s)"),
    Operation("value40", "struct f(struct of 40 bytes)", "f(s)"),
    Operation("lend", "f(struct *), given the struct", "f(s)", sum(POINT)),
    Operation("point", "f(struct *), given a pointer", "f(s)", sum(POINT)),
)
