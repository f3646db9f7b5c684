"""What type checkers must see of callbacks. Checked by mypy and pyright, never run."""

from collections.abc import Callable
from typing import Any, assert_type

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

libc = ffi.Library(None)
Compare = ffi.Callback[[ffi.Pointer[c.int], ffi.Pointer[c.int]], c.int]


@libc.function
def qsort(base: c.pointer, count: c.size_t, size: c.size_t, compare: Compare) -> None: ...


@libc.function
def signal(number: c.int, handler: ffi.Callback[[c.int], None] | None) -> ffi.Callback[[c.int], None]: ...


@ffi.callback
def subtract(a: c.int, b: c.int = 1) -> c.int:
    return a - b


@ffi.callback(error=-1, onerror=print)
def length(text: c.string) -> c.size_t:
    return len(text or "")


@ffi.struct
class handlers:
    compare: Compare
    notify: ffi.Callback[[c.string], None]


def compare(a: ffi.Pointer[c.int], b: ffi.Pointer[c.int]) -> c.int:
    assert_type(a[0], int)
    return a[0] - b[0]


# A callback object is still the function that it was made of.
assert_type(subtract(5), int)
assert_type(subtract(5, b=3), int)
assert_type(length("text"), int)
assert_type(subtract.address, int)
assert_type(subtract.released, bool)
as_function: Callable[[int, int], int] = subtract
as_object: ffi.ForeignCallback = subtract
subtract.release()

# Where a function pointer is declared, functions and callback objects serve.
items = ffi.array(c.int, [2, 1])
qsort(items, 2, 4, compare)
qsort(items, 2, 4, lambda a, b: a[0] - b[0])
qsort(items, 2, 4, ffi.callback(compare))
with ffi.callback(compare, Compare, error=0) as kept:
    assert_type(kept(ffi.alloc(c.int, 1), ffi.alloc(c.int, 1)), int)
    qsort(items, 2, 4, kept)

# A function pointer from C is a callable, as is a member of a struct.
previous = signal(2, None)
assert_type(previous(2), None)
table = handlers(compare, lambda text: None)
assert_type(table.compare(ffi.alloc(c.int, 1), ffi.alloc(c.int, 1)), int)
table.notify = lambda text: None


def collect(errors: list[BaseException]) -> Any:
    return ffi.callback(compare, Compare, onerror=errors.append)
