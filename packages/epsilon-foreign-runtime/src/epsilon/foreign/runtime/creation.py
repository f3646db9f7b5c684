"""Making data: values, arrays and allocations in memory of their own, and pointers to what exists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from epsilon.foreign.backend import READONLY, Borrowed, expected, type_name, window

from .arena import checked_alignment, checked_size
from .arrays import Array, ArrayType, array_class, checked_count, fill, listed
from .blocks import Block, own_block, release
from .errors import ConstError, LayoutError
from .lending import pointee
from .members import StructType
from .objects import ALWAYS, Data, check_live, place
from .pointers import Pointer, pointer_at, pointer_to
from .sizes import complete
from .types import ForeignType, resolve_type


def alloc(type: Any, count: int = 1, *, align: int | None = None) -> Any:
    """Memory for `count` values of a type, zeroed: a bounded pointer that `free` takes.

    It is also freed when the last pointer to it is gone. Raises LayoutError for a negative count or an
    `align` that is no power of two, DeclarationError for a type without a size, MemoryError.
    """
    row = resolve_type(type)
    size = checked_size(row, count)
    block = Block(size, checked_alignment(row, align), manual=True)
    address = block.address
    return pointer_at(pointer_to(row), address, address, address + size, block._live, block)


free = release


@contextmanager
def memory(type: Any, count: int = 1, *, align: int | None = None) -> Iterator[Any]:
    """`alloc` for the length of a ``with`` block."""
    pointer = alloc(type, count, align=align)
    try:
        yield pointer
    finally:
        pointer._owner.release()


def new(type: Any, *args: Any, flexible: int | None = None, **kwargs: Any) -> Any:
    """A value of a type in memory of its own, zeroed or initialised.

    Of a struct or union, an instance; `flexible` is the number of elements of the array at its end. Of an
    array type, the array, from one iterable. Of anything else a pointer to it, from one value. Raises
    DeclarationError, LayoutError and what the initial values raise.
    """
    if flexible is not None:
        kwargs["flexible"] = flexible
    return new_in(_own, type, args, kwargs)


def _own(cls: Any, size: int, alignment: int) -> Any:
    owner, address = own_block(size, alignment)
    return place(cls, address, address + size, ALWAYS, owner)


def new_in(make: Any, type: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`new`, in the memory that ``make(class, size, alignment)`` places an object in."""
    row = complete(resolve_type(type))
    if isinstance(row, StructType):
        return _new_struct(make, row, args, kwargs)
    if kwargs or len(args) > 1:
        raise TypeError(f"a new {row.name} takes at most one value, got {len(args)} and {sorted(kwargs)}")
    if isinstance(row, ArrayType):
        made = make(row.cls, row.size, row.alignment)
        if args:
            fill(made, args[0], row.name)
        return made
    made = make(pointer_to(row), row.size, row.alignment)
    if args:
        made[0] = args[0]
    return made


def _new_struct(make: Any, row: StructType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    from .structs import initialise

    flexible = None if "flexible" in row.fields else kwargs.pop("flexible", None)
    size = row.size
    if row.flexible is not None:
        size = row.flexible.extent(row.size, flexible or 0)
    elif flexible is not None:
        raise LayoutError(f"{row.name} has no flexible array")
    made = make(row.cls, size, row.alignment)
    if args or kwargs or row.defaults:
        initialise(made, row, args, kwargs)
    return made


def array(type: Any, init: Any) -> Any:
    """An array in memory of its own: of `init` zeroed elements, or with the elements of an iterable.

    Bytes make an array of a one-byte type. Raises LayoutError for a negative count, and what the elements
    raise.
    """
    return array_in(_own, type, init)


def array_in(make: Any, type: Any, init: Any) -> Any:
    """`array`, in the memory that ``make(class, size, alignment)`` places an object in."""
    row = complete(resolve_type(type))
    if isinstance(init, (bool, float)):
        raise expected("a length or an iterable of elements", init)
    if hasattr(init, "__index__"):
        count = checked_count(init.__index__(), row)
        return make(array_class(row), count * row.size, row.alignment)
    values = init if isinstance(init, (Array, bytes, bytearray, str)) else listed(init, row.name)
    made = make(array_class(row), checked_count(len(values), row) * row.size, row.alignment)
    fill(made, values)
    return made


def pointer(value: Any, member: str | None = None) -> Any:
    """A pointer to a struct, to an array's first element, to a variable; or to a struct's member by name.

    It keeps the object alive. Raises LifetimeError, TypeError for what has no address, AttributeError for an
    unknown member, ValueError for a bit-field.
    """
    if not isinstance(value, Data) or isinstance(value, Pointer):
        own = getattr(value, "pointer", None)
        if own is not None and not isinstance(value, Data):
            return own()
        raise expected("a struct, an array or a variable", value)
    check_live(value)
    row: ForeignType = pointee(value)
    address, size = value._address, value._upper - value._lower
    if member is not None:
        field = _member(value, member)
        row, address, size = field.row, address + field.offset, field.size
    const = bool(value._flags & READONLY)
    owner = value if value._owner is None else value._owner
    flags = value._flags
    return pointer_at(
        pointer_to(row, const=const), address, address, address + size, value._live, owner, flags
    )


def _member(value: Any, member: str) -> Any:
    fields = getattr(type(value).__foreign_type__, "fields", {}) if not isinstance(value, Array) else {}
    if member not in fields:
        raise AttributeError(f"{type_name(value)} has no member {member!r}")
    if fields[member].width:
        raise ValueError(f"{type_name(value)}.{member} is a bit-field: it has no address")
    return fields[member]


def addressof(value: Any) -> int:
    """The address of a struct, an array or a variable, of a function or a callback; that which a pointer
    holds.

    Nothing keeps the memory alive. Raises LifetimeError, TypeError.
    """
    lend = getattr(type(value), "__foreign_address__", None)
    if lend is not None:
        return int(lend(value))
    address = getattr(value, "address", None)
    if type(address) is not int:
        address = getattr(getattr(value, "__self__", None), "address", None)
    if type(address) is not int:
        raise expected("something with an address", value)
    return address


class _Exporter(Borrowed):
    """Somebody else's buffer, as the owner of an array over it."""

    __slots__ = ("_keep",)

    def __init__(self, exporter: object, *, writable: bool = False) -> None:
        super().__init__(exporter, writable=writable)
        self._keep = None


def from_buffer(type: Any, buffer: Any, *, writable: bool | None = None) -> Any:
    """An array over the memory of any object with the buffer protocol; nothing is copied.

    Its memory is const when the buffer is read-only. `writable` insists on memory that can be written
    (ConstError otherwise), or on treating it as const. Raises LayoutError when the buffer's size is no
    multiple of the type's, TypeError for an object without a contiguous buffer.
    """
    row = complete(resolve_type(type))
    try:
        owner = _Exporter(buffer)
    except (BufferError, ValueError) as error:  # numpy raises ValueError for strided memory
        raise TypeError(f"{type_name(buffer)}: {error}") from None
    if writable and owner.readonly:
        raise ConstError(f"the buffer of {type_name(buffer)} is read-only")
    if row.size == 0 or owner.nbytes % row.size:
        raise LayoutError(
            f"{owner.nbytes} bytes of {type_name(buffer)} are no multiple of {row.name}'s {row.size}"
        )
    flags = READONLY if owner.readonly or writable is False else 0
    if owner.address % row.alignment:
        raise LayoutError(
            f"the buffer of {type_name(buffer)} is not aligned to {row.alignment} bytes for {row.name}"
        )
    return place(array_class(row), owner.address, owner.address + owner.nbytes, ALWAYS, owner, flags)


def put_bytes(pointer: Any, data: Any) -> Any:
    """Copy bytes to where a pointer points, which has room for them; returns the pointer. What is plain bytes is not
    copied twice."""
    with memoryview(data) as given:
        plain = given.format == "B" and given.ndim == 1 and given.c_contiguous
        window.write_bytes(pointer._address, given if plain else bytes(given))
    return pointer


__all__ = [
    "addressof",
    "alloc",
    "array",
    "array_in",
    "free",
    "from_buffer",
    "memory",
    "new",
    "new_in",
    "pointer",
    "put_bytes",
]
