"""What type checkers must refuse of C data. Every line that is marked is an error to both, and no other line is:
an unneeded mark is an error as well. Checked by mypy and pyright, never run."""

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

libc = ffi.Library(None)


@ffi.struct
class point:
    x: c.int
    y: c.int = 0


@libc.function
def move(at: ffi.Pointer[point], by: c.int) -> None: ...


def refused(p: ffi.Pointer[c.int], q: ffi.Pointer[point]) -> None:
    point("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    point(1, 2, 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    point(z=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    q[0].z = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    point(1).x = "1"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    p[0] = "1"  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    q[0] = 5  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    move(p, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    move(q, 1)
