"""The meaning of Python values for each ABI type: one place for all backends.

A converter takes any object and returns the canonical value of its `Marshal` (see `binding`), or raises one
of the `ArgumentError` classes with a short message, "expected X, got Y"; `arguments` adds function and
parameter. Exceptions raised by the value's own ``__index__``, ``__float__`` or ``__complex__`` pass through
untouched.
"""

from __future__ import annotations

from operator import index
from typing import Any

from .abi import POINTER, AbiType, Kind
from .binding import Converter, Marshal
from .buffers import borrow
from .errors import ArgumentRangeError, ArgumentTypeError, ArgumentValueError


def type_name(value: object) -> str:
    """How messages call the type of `value`: the name for builtins, module and name for the rest."""
    cls = type(value)
    if value is None:
        return "None"
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def expected(what: str, value: object) -> ArgumentTypeError:
    """The error for a value of the wrong type."""
    return ArgumentTypeError(f"expected {what}, got {type_name(value)}")


def _shown(value: object) -> str:
    """A value for a message: short, and never the cause of another error.

    An int of more than 4,300 digits refuses to become text, and a text of a megabyte is no message.
    """
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _has(value: object, method: str) -> bool:
    """Does the type of `value` have a special method? An attribute of the object alone is none, nor is
    None.
    """
    return getattr(type(value), method, None) is not None


def _own_bytes(value: bytes) -> bytes:
    """Exact bytes as they are, since C may keep pointers into them for as long as the caller keeps them; of a
    subclass, which may have another opinion about its content, the content.
    """
    return value if type(value) is bytes else memoryview(value).tobytes()


def integer(type: AbiType, name: str | None = None) -> Converter:
    """Converter for an integer type: an int, or an object with ``__index__``; never truncates, takes no
    float.
    """
    low, high = type.bounds
    name = name or type.name

    def to_integer(value: Any) -> int:
        if not _has(value, "__index__"):
            raise expected(f"an integer for {name}", value)
        number = index(value)
        if low <= number <= high:
            return number
        raise ArgumentRangeError(f"{_shown(number)} does not fit {name} ({low} to {high})")

    return to_integer


def to_bool(value: Any) -> bool:
    """True, False, or an integer that is 0 or 1."""
    if value is True or value is False:
        return value
    if not _has(value, "__index__"):
        raise expected("True or False", value)
    number = index(value)
    if number in (0, 1):
        return bool(number)
    raise ArgumentRangeError(f"{_shown(number)} does not fit bool (0 or 1)")


def to_float(value: Any) -> float:
    """A float, or any object with ``__float__`` or ``__index__``; an int too large for a double does not
    fit.
    """
    if type(value) is float:
        return value
    if _has(value, "__float__") and not isinstance(value, int):
        return float(value)
    if not _has(value, "__index__"):
        raise expected("a float", value)
    number = index(value)
    try:
        return float(number)
    except OverflowError:
        raise ArgumentRangeError(f"{_shown(number)} does not fit double") from None


def to_complex(value: Any) -> complex:
    """A complex, or anything that `to_float` takes, or an object with ``__complex__``."""
    if type(value) is complex:
        return value
    if isinstance(value, complex) or _has(value, "__complex__"):
        return complex(value)
    if not _has(value, "__float__") and not _has(value, "__index__"):
        raise expected("a complex number", value)
    return complex(to_float(value))


def to_bytes(value: Any) -> bytes | None:
    """bytes as they are, None for NULL."""
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, bytes):
        return _own_bytes(value)
    raise expected("bytes or None", value)


def to_string(value: Any) -> bytes | None:
    """A str as UTF-8, bytes as they are, None for NULL; a NUL inside either is an error."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            encoded = str.encode(value)
        except UnicodeEncodeError as error:
            raise ArgumentValueError(f"{_shown(value)} cannot be encoded as UTF-8: {error.reason}") from None
    elif isinstance(value, bytes):
        encoded = _own_bytes(value)
    else:
        raise expected("str, bytes or None", value)
    if 0 in encoded:
        raise ArgumentValueError(f"embedded NUL in {_shown(value)}: C would see the string end there")
    return encoded


def to_nothing(value: Any) -> None:
    """None, for void."""
    if value is not None:
        raise expected("None for void", value)


def to_address(value: Any) -> int:
    """None as NULL, or an integer address."""
    if value is None:
        return 0
    if not _has(value, "__index__"):
        raise expected("an address (int) or None", value)
    number = index(value)
    if 0 <= number <= _ADDRESS_MAX:
        return number
    raise ArgumentRangeError(f"{_shown(number)} does not fit pointer (0 to {_ADDRESS_MAX:#x})")


def to_buffer(value: Any) -> int:
    """The memory of anything with a contiguous buffer, None for NULL."""
    return _buffer(value, False)


def to_writable(value: Any) -> int:
    """The memory of anything with a contiguous writable buffer, None for NULL."""
    return _buffer(value, True)


def _buffer(value: Any, writable: bool) -> int:
    if value is None:
        return 0
    try:
        memoryview(value).release()
    except TypeError:
        raise expected("an object with the buffer protocol or None", value) from None
    try:
        return borrow(value, writable=writable)
    except BufferError as error:
        what = "a contiguous writable buffer" if writable else "a contiguous buffer"
        raise ArgumentTypeError(f"expected {what}, got {type_name(value)}: {error}") from None


def aggregate(type: AbiType) -> Converter:
    """Converter for an aggregate by value: any buffer of exactly its size, as bytes."""

    def to_aggregate(value: Any) -> bytes:
        try:
            content = memoryview(value).tobytes()
        except TypeError:
            raise expected(f"{type.size} bytes for {type.name}", value) from None
        if len(content) != type.size:
            raise ArgumentValueError(f"expected {type.size} bytes for {type.name}, got {len(content)}")
        return content

    return to_aggregate


def converter(type: AbiType, marshal: Marshal = Marshal.VALUE) -> Converter:
    """The converter that belongs to an ABI type and a marshal."""
    special = _BY_MARSHAL.get(marshal)
    if special is not None:
        return special
    if type.is_integer:
        return integer(type)
    if type.kind is Kind.AGGREGATE:
        return aggregate(type)
    return _BY_KIND[type.kind]


_ADDRESS_MAX = POINTER.bounds[1]

_BY_MARSHAL: dict[Marshal, Converter] = {
    Marshal.STRING: to_string,
    Marshal.BYTES: to_bytes,
    Marshal.BUFFER: to_buffer,
    Marshal.WRITABLE: to_writable,
}
_BY_KIND: dict[Kind, Converter] = {
    Kind.VOID: to_nothing,
    Kind.BOOL: to_bool,
    Kind.FLOAT: to_float,
    Kind.COMPLEX: to_complex,
    Kind.POINTER: to_address,
}
