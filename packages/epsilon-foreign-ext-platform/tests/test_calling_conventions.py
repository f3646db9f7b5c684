"""Calling conventions by name: what this machine has, and Microsoft's on Linux, called and called back."""

from __future__ import annotations

import os
import sys

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from epsilon.foreign.ext.platform import calling

SOURCE = """
#include <stdarg.h>
#define MS __attribute__((ms_abi))
struct pair { int x, y; };
struct big { long a, b, c; };
MS long sum6(long a, long b, long c, long d, long e, long f) { return a + 2*b + 3*c + 4*d + 5*e + 6*f; }
MS double mixed(int a, double b, int c, double d, float e) { return a + 10*b + 100*c + 1000*d + 10000*e; }
MS struct pair flip(struct pair p) { struct pair q = { p.y, p.x }; return q; }
MS struct big twice(struct big b) { b.a *= 2; b.b *= 2; b.c *= 2; return b; }
MS int sumv(int n, ...)
{ __builtin_ms_va_list ap; __builtin_ms_va_start(ap, n); int s = 0; while (n--) s += __builtin_va_arg(ap, int);
  __builtin_ms_va_end(ap); return s; }
typedef long (MS *visitor)(long, double, long, double, long);
long visit(visitor f, long x) { return f(x, 2.0, 3, 4.0, 5); }
MS long visit_from_ms(visitor f, long x) { return f(x, 2.0, 3, 4.0, 5); }
typedef struct big (MS *grow)(struct big, struct pair);
long grown(grow f) { struct big b = { 1, 2, 3 }; struct pair p = { 4, 5 }; b = f(b, p); return b.a*100 + b.b*10 + b.c; }
static MS long first(long x, double y, long z, double u, long v) { return x + (long)y + z + (long)u + v; }
visitor get_first(void) { return first; }
"""

ms_here = pytest.mark.skipif(
    calling.processor() != "x86-64" or "trampoline" not in ffi.available_backends(),
    reason="Microsoft's convention is of x86-64, and only the trampoline calls it",
)


@ffi.struct
class pair:
    x: c.int
    y: c.int


@ffi.struct
class big:
    a: c.long
    b: c.long
    c: c.long


@pytest.fixture(scope="module")
def library(compile_library) -> ffi.Library:
    return ffi.Library(compile_library(SOURCE, "libms.so"))


VISITOR = ffi.Callback[[c.long, c.double, c.long, c.double, c.long], c.long]


@ms_here
def test_functions_of_microsofts_convention_are_called_by_its_name(library: ffi.Library) -> None:
    ms = platform.convention("win64")
    assert ms == "ms"
    assert library.bind("sum6", c.long, [c.long] * 6, convention=ms)(1, 2, 3, 4, 5, 6) == 91
    mixed = library.bind("mixed", c.double, [c.int, c.double, c.int, c.double, c.float], convention=ms)
    assert mixed(1, 2.0, 3, 4.0, 5.0) == 54321.0


@ms_here
def test_structs_and_variable_arguments_travel_as_microsoft_has_it(library: ffi.Library) -> None:
    flipped = library.bind("flip", pair, [pair], convention="ms")(pair(1, 2))
    assert (flipped.x, flipped.y) == (2, 1)
    doubled = library.bind("twice", big, [big], convention="ms")(big(1, 2, 3))
    assert (doubled.a, doubled.b, doubled.c) == (2, 4, 6)
    assert library.bind("sumv", c.int, [c.int], variadic=True, convention="ms")(3, 10, 20, 30) == 60


@ms_here
@pytest.mark.parametrize("name", ["visit", "visit_from_ms"])
def test_functions_of_microsofts_convention_are_called_back(library: ffi.Library, name: str) -> None:
    convention = "ms" if name == "visit_from_ms" else "c"
    visitor = platform.with_convention(VISITOR, "ms")
    visit = library.bind(name, c.long, [visitor, c.long], convention=convention)
    seen = []

    def python(*args):
        seen.append(args)
        return sum(map(int, args))

    assert visit(python, 1) == 15 and seen == [(1, 2.0, 3, 4.0, 5)]
    with ffi.callback(python, visitor) as kept:
        assert visit(kept, 10) == 24
    with pytest.raises(ZeroDivisionError):
        visit(lambda *args: 1 // 0, 1)


@ms_here
def test_structs_travel_into_callbacks_and_out_of_them(library: ffi.Library) -> None:
    grow = platform.with_convention(ffi.Callback[[big, pair], big], "ms")
    grown = library.bind("grown", c.long, [grow])
    assert grown(lambda b, p: big(b.a + p.x, b.b + p.y, b.c)) == 573


@ms_here
def test_a_function_pointer_from_c_is_called_by_its_convention(library: ffi.Library) -> None:
    visitor = platform.with_convention(VISITOR, "ms")
    first = library.bind("get_first", visitor, [])()
    assert first(1, 2.0, 3, 4.0, 5) == 15
    assert library.bind("visit", c.long, [visitor, c.long])(first, 7) == 21


def test_every_convention_says_who_calls_it() -> None:
    rows = {row.name: row for row in platform.conventions()}
    assert set(ffi.available_backends()) >= set(rows["c"].backends) >= {"ctypes"}
    assert rows["stdcall"].backends == () or sys.platform == "win32"
    for row in rows.values():
        for backend in row.backends:
            name = platform.convention(row.name)
            assert (
                ffi.describe(ffi.Library(None).bind("abort", None, [], convention=name)).signature.convention
                == name
            ), backend


@pytest.mark.once
def test_the_platforms_own_convention_is_c_whatever_it_is_called() -> None:
    own = calling.own_convention()
    if own is None:
        pytest.skip(f"the convention of {os.uname().machine} has no other name here")
    assert platform.convention(own) == "c" == platform.convention("cdecl") == platform.convention("__cdecl")
    assert platform.convention("default") == "c"


@pytest.mark.once
def test_a_convention_of_another_processor_is_unsupported() -> None:
    with pytest.raises(
        platform.UnsupportedPlatformError, match="stdcall is a convention of x86, and this is"
    ):
        platform.convention("__stdcall")
    with pytest.raises(platform.UnsupportedPlatformError, match="vectorcall"):
        platform.convention("vectorcall")


@pytest.mark.once
def test_a_name_that_means_nothing_is_refused_with_those_that_do() -> None:
    with pytest.raises(ffi.DeclarationError, match=r"'cuneiform'.*there are c, sysv, ms"):
        platform.convention("cuneiform")
    with pytest.raises(ffi.ArgumentTypeError):
        platform.convention(7)
    with pytest.raises(ffi.DeclarationError, match="not the type of a function pointer"):
        platform.with_convention(c.int, "ms")


@pytest.mark.once
def test_on_64_bit_windows_the_old_names_are_the_one_convention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling.sys, "platform", "win32")
    for name in ("stdcall", "WINAPI", "__fastcall", "thiscall", "cdecl"):
        assert platform.convention(name) == "c"
