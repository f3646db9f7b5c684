"""What type checkers must refuse of callbacks. Every line that is marked is an error to both, and no other line is:
an unneeded mark is an error as well. Checked by mypy and pyright, never run."""

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

libc = ffi.Library(None)
Compare = ffi.Callback[[ffi.Pointer[c.int], ffi.Pointer[c.int]], c.int]


@libc.function
def qsort(base: c.pointer, count: c.size_t, size: c.size_t, compare: Compare) -> None: ...


@ffi.callback
def subtract(a: c.int, b: c.int = 1) -> c.int:
    return a - b


def refused(items: ffi.Pointer[c.int]) -> None:
    qsort(items, 2, 4, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    qsort(items, 2, 4, len)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    qsort(items, 2, 4, subtract)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    qsort(items, 2, 4, lambda a, b: "less")  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    subtract("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    subtract(5, c=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    subtract.address = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    ffi.callback(5, Compare)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    ffi.callback(subtract, onerror=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
