"""What type checkers must refuse. Every line that is marked is an error to both, and no other line is:
an unneeded mark is an error as well. Checked by mypy and pyright, never run."""

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

libm = ffi.Library("m")
libc = ffi.Library(None)


@libm.function
def cos(x: c.double) -> c.double: ...


@ffi.shared("m", name="pow")
def power(base: c.double, exponent: c.double = 2.0) -> c.double: ...


@libc.function
def getenv(name: c.string) -> c.string: ...


@libc.function
def strlen(text: c.string) -> c.size_t: ...


@libc.function
def memset(memory: c.mutable_buffer, value: c.int, size: c.size_t) -> None: ...


cos("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cos(1j)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cos(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
cos()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cos(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
cos(y=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
power(1, exponent="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
strlen(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
memset("text", 0, 4)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
memset(bytearray(4), 0.5, 4)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
text: str = cos(1)  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
# NULL is None: a result that may be NULL must be looked at first.
getenv("HOME").upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
ffi.Library(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
libm.function(names="cos")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
libm.closed = 3  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
