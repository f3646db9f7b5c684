"""What type checkers must see of C data. Checked by mypy and pyright, never run."""

import enum
from typing import Any, Literal, assert_type

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

libc = ffi.Library(None)


@ffi.struct
class point:
    x: c.int
    y: c.int = 0


@ffi.struct(pack=1, align=4)
class shape:
    corner: point
    weights: ffi.Array[c.double, Literal[3]]
    next: ffi.Pointer["shape"]
    mode: ffi.Bits[c.uint, 3]
    id: ffi.Const[c.int]
    start: ffi.Aligned[c.int, 16]


@ffi.union
class number:
    i: c.int32 = 0
    f: c.float = 0.0


class colour(enum.IntEnum):
    RED = 1


@libc.function
def read_shape(at: ffi.Pointer[shape], tint: colour) -> point: ...


@libc.function
def strdup(text: c.string) -> ffi.Owned[c.string, "free"]: ...


def structs(some: shape) -> None:
    assert_type(point(1, 2), point)
    assert_type(point(x=1).y, int)
    assert_type(some.corner.x, int)
    assert_type(some.weights[0], float)
    assert_type(some.next[0], shape)
    assert_type(some.mode, int)
    assert_type(some.id, int)
    assert_type(some.start, int)
    assert_type(number(f=1.0).f, float)
    some.corner.x += 1
    some.weights[0] = 2.5


def memory(arena: ffi.Arena) -> None:
    p = arena.alloc(c.int, 4)
    assert_type(p[0], int)
    assert_type(p + 1, ffi.Pointer[int])
    assert_type((p + 1) - p, int)
    assert_type(len(p[0:2]), int)
    assert_type(ffi.array(c.double, [1, 2])[0], float)
    assert_type(ffi.alloc(point, 2)[1], point)
    assert_type(ffi.null(point), ffi.Pointer[point])
    assert_type(ffi.pointer(point(1))[0], point)
    assert_type(p.cast(c.double)[0], float)
    assert_type(ffi.string_at(p), str)
    assert_type(ffi.asdict(point(1)), dict[str, Any])
    with ffi.memory(c.int, 2) as pair:
        assert_type(pair[0], int)
    with ffi.c_string("text") as text:
        assert_type(text[0], bytes)


def calls(some: ffi.Pointer[shape]) -> None:
    assert_type(read_shape(some, colour.RED), point)
