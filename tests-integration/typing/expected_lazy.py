"""What type checkers must see of declarations that are made when they are used. Checked, never run."""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_type

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

lib = ffi.LazyLibrary("m")
# mypy makes constructors only where the decorator is a function.
if TYPE_CHECKING:
    from epsilon.foreign.api import struct, union
else:
    struct, union = lib.struct, lib.union


@struct
class point:
    x: c.int
    y: c.int


@struct(pack=1)
class packet:
    kind: c.uint8
    data: ffi.Array[c.uint8, ffi.Flexible]


@union
class number:
    i: c.int32 = 0
    f: c.float = 0.0


visit: TypeAlias = "ffi.Callback[[ffi.Pointer[point], c.int], c.int]"


@lib.function
def cos(x: c.double) -> c.double: ...


@lib.function(name="walk_v2", release_gil=False)
def walk(
    at: ffi.ByRef[point], f: ffi.Nullable[visit], data: ffi.AnyPointer, counts: ffi.Elements[c.int]
) -> point: ...


@lib.variable
def counter() -> c.int: ...


@lib.variable(name="origin_v2")
def origin() -> point: ...


def visited(at: ffi.Pointer[point], depth: int) -> int:
    return at[0].x + depth


def uses(p: ffi.Pointer[point], many: ffi.Array[point, Any], ints: ffi.Array[c.int, Literal[3]]) -> None:
    assert_type(cos(1.0), float)
    assert_type(walk(point(1, 2), visited, b"any", ints), point)
    walk(p, None, None, None)
    walk(many, None, 4, bytearray(8))
    walk(None, None, p, p.cast(int))
    assert_type(counter.value, int)
    counter.value = 3
    assert_type(origin.value.x, int)
    assert_type(packet(1, ffi.array(int, 3)).data[0], int)
    assert_type(number(f=1.0).f, float)
