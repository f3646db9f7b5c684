"""What may be given where ``Pointer[T]`` is expected: pointers, and objects that lend their own memory."""

from __future__ import annotations

from typing import Any

from epsilon.foreign.backend import ArgumentTypeError, Kind, borrow, expected, type_name

from .errors import ConstError
from .objects import Data, check_live
from .types import ForeignType

#: Item formats of buffers (PEP 3118) by what they are to C.
_KINDS = dict.fromkeys("bhilqn", Kind.SIGNED) | dict.fromkeys("cBHILQN", Kind.UNSIGNED)
_KINDS |= dict.fromkeys("fdg", Kind.FLOAT) | {"?": Kind.BOOL}
_KINDS |= dict.fromkeys(("Zf", "Zd", "Zg"), Kind.COMPLEX)
_INTEGERS = (Kind.SIGNED, Kind.UNSIGNED)


def lend_to(value: Any, cls: Any) -> int:
    """The address to pass for `value` where the pointer class `cls` is declared.

    Raises ArgumentTypeError naming both types, ConstError for read-only memory where C may write,
    LifetimeError.
    """
    if value is None:
        return 0
    if isinstance(value, Data) and issubclass(type(value), Data):  # whatever a mock says of itself
        row = pointee(value)
        if not accepts(cls.target(), row) and not accepts(
            cls.target(), getattr(value, "__foreign_type__", row)
        ):
            raise expected(f"{cls.__name__}", value)
        if value._flags & 1 and not cls._const:
            raise ConstError(f"expected {cls.__name__}, got {type_name(value)} that is const")
        if value._address:
            check_live(value)
        address: int = value._address
        return address
    return _lend_other(value, cls)


def _lend_other(value: Any, cls: Any) -> int:
    lend = getattr(type(value), "__foreign_address__", None)
    target = cls.target()
    if lend is not None:
        known = getattr(value, "type", None)
        if target.name == "void" or (isinstance(known, ForeignType) and accepts(target, known)):
            return lend(value)  # type: ignore[no-any-return]  # the protocol's method returns an int
        raise expected(cls.__name__, value)
    try:
        with memoryview(value) as buffer:
            fits = _fits(buffer, target)
            shown = f"a buffer of {buffer.format!r} items of {buffer.itemsize} bytes"
    except TypeError:
        hint = f"; {cls.__name__}.from_address makes one of an address" if hasattr(value, "__index__") else ""
        raise ArgumentTypeError(f"expected {cls.__name__}, got {type_name(value)}{hint}") from None
    if not fits:
        raise ArgumentTypeError(f"expected {cls.__name__}, got {type_name(value)}, {shown}")
    try:
        return borrow(value, writable=not cls._const)
    except BufferError as error:
        raise ArgumentTypeError(f"expected {cls.__name__}, got {type_name(value)}: {error}") from None


def _fits(buffer: memoryview, target: ForeignType) -> bool:
    if target.name == "void":
        return True
    abi = target.abi
    if abi.kind is Kind.AGGREGATE or buffer.itemsize != abi.size or not buffer.contiguous:
        return False
    kind = _KINDS.get(buffer.format.lstrip("@=<"))
    return kind is abi.kind or (abi.size == 1 and kind in _INTEGERS and abi.kind in _INTEGERS)


def pointee(value: Data) -> ForeignType:
    """The row of what a pointer to the beginning of `value` points to; an array decays to its elements."""
    target = getattr(type(value), "target", None)
    if target is not None:
        return target()  # type: ignore[no-any-return]  # Pointer.target and Array.target return rows
    return value.__foreign_type__  # type: ignore[attr-defined, no-any-return]  # structs and unions have it


def accepts(target: ForeignType, given: ForeignType) -> bool:
    """May a pointer to `given` be passed where one to `target` is declared?

    Any pointer is a ``void *``. Numbers are the same type when they have the same machine type, as `int` and
    `int32` do; the integers of one byte, which C programs mix at will, always.
    """
    if target is given or target.name == "void":
        return True
    if not (target.complete and given.complete):
        return False
    one, other = getattr(target, "cls", None), getattr(given, "cls", None)
    if one is not None and other is not None:
        if hasattr(one, "target") and hasattr(other, "target"):
            return accepts(one.target(), other.target())
        return issubclass(other, one)
    if Kind.AGGREGATE in (target.abi.kind, given.abi.kind):
        element, same = getattr(target, "element", None), getattr(given, "element", None)
        if element is None or same is None or target.count != given.count:  # type: ignore[attr-defined]
            return False
        return accepts(element, same)
    if target.abi == given.abi:
        return True
    return target.size == given.size == 1 and target.abi.is_integer and given.abi.is_integer
