"""What type checkers must see of declared functions. Checked by mypy and pyright, never run."""

from collections.abc import Callable
from typing import Any, assert_type

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c

libm = ffi.Library("m")
libc = ffi.Library(None)


@libm.function
def cos(x: c.double) -> c.double:
    """The cosine of x, in radians."""
    ...  # noqa: PIE790 - without it pyright misses a return


@ffi.shared("m", name="pow")
def power(base: c.double, exponent: c.double = 2.0) -> c.double: ...


@libc.function(check=ffi.check_nonnegative, release_gil=False)
def access(path: c.string, mode: c.int) -> c.int: ...


@libc.function
def getenv(name: c.string) -> c.string: ...


@libc.function
def memcpy(to: c.mutable_buffer, source: c.buffer, size: c.size_t) -> c.pointer: ...


@libc.function
def free(memory: c.pointer) -> None: ...


@libc.function
def snprintf(out: c.mutable_buffer, size: c.size_t, format: c.string, *args: object) -> c.int: ...


@ffi.shared
def labs(x: c.long) -> c.long: ...


@ffi.shared()
def isalpha(x: c.int) -> c.bool: ...


@libm.function
def csqrt(z: c.double_complex) -> c.double_complex: ...


def scalars(
    char: c.char, wide: c.wchar, raw: c.bytes, byte: c.uint8, half: c.float, long: c.longdouble
) -> None:
    """Inside of Python code a C type is the Python type that its values have."""
    assert_type(char, bytes)
    assert_type(wide, str)
    assert_type(raw, bytes | None)
    assert_type(byte, int)
    assert_type(half, float)
    assert_type(long, float)


# Parameters and results are Python's; names, defaults and extra arguments are kept.
assert_type(cos(0.5), float)
assert_type(cos(x=1), float)
assert_type(power(2), float)
assert_type(power(base=2, exponent=0.5), float)
assert_type(access("/", 0), int)
assert_type(getenv("HOME"), str | None)
assert_type(memcpy(bytearray(3), b"abc", 3), Any)
free(memcpy(memoryview(bytearray(3)), memoryview(b"abc"), 3))
assert_type(snprintf(bytearray(9), 9, "%d %s", 3, "x"), int)
assert_type(labs(-7), int)
assert_type(isalpha(65), bool)
assert_type(csqrt(-1), complex)
as_function: Callable[[float], float] = cos

# Typed values are their Python type to a checker.
assert_type(c.int(3), int)
assert_type(c.double(3), float)

# What is bound without a declaration cannot be known.
assert_type(libm.bind("cos", c.double, [c.double])(0.5), Any)
assert_type(ffi.shared_call("abs", c.int, [c.int], -7), Any)
assert_type(ffi.shared_call(("cos", "m"), c.double, [c.double], 0.5), Any)
assert_type(ffi.shared_call(("cos", libm), c.double, [c.double], 0.5), Any)

# Libraries, variables, backends.
assert_type(libm.symbol("cos"), int)
assert_type(libm.path, str | None)
assert_type(libm.closed, bool)
assert_type("cos" in libm, bool)
assert_type(libc.variable("optind", c.int), ffi.Variable)
with ffi.Library("z") as libz:
    assert_type(libz, ffi.Library)
assert_type(ffi.available_backends(), list[str])
assert_type(ffi.unavailable_reason("ctypes"), str | None)
with ffi.use_backend("ctypes") as backend:
    assert_type(backend.name, str)


# A check of one's own.
def check_ok(result: Any, errno: int, function: str) -> Any:
    if result != 0:
        raise RuntimeError(f"{function}() returned {result}")
    return result


check: ffi.Check = check_ok
libc.bind("system", c.int, [c.string], check=check_ok)

# Errors are the builtins that they stand beside.
not_found: AttributeError = ffi.SymbolNotFoundError()
cannot_load: OSError = ffi.LibraryError()
wrong_type: TypeError = ffi.ArgumentTypeError()
too_large: OverflowError = ffi.ArgumentRangeError()
