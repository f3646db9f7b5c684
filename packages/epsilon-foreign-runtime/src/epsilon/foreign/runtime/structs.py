"""The common part of struct and union objects: construction, comparison, copies, their lifetime."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.backend import READONLY, ArgumentTypeError, Exported, window

from .blocks import own_block
from .members import StructType
from .objects import ALWAYS, NEVER, Data, check_live, move_kept

#: Bytes of a struct that lie in the Python object itself; a larger one has an allocation of its own.
INLINE = 128


class Struct(Data):
    """The base of the classes that `struct` and `union` make.

    An instance is memory of its own, or a view of memory elsewhere: of a struct that this one is a member of,
    of an arena. Attributes are the members. Instances compare by the members' values, can be copied
    (`copy.copy`), and used in a ``with`` statement, after which they are unusable.
    """

    __slots__ = ()

    __foreign_type__: StructType
    __match_args__: tuple[str, ...] = ()
    __hash__ = None  # type: ignore[assignment]  # contents change

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        row = self.__foreign_type__
        own_memory(self, row, row.size)
        if args or kwargs or row.defaults:
            initialise(self, row, args, kwargs)

    def __repr__(self) -> str:
        from .display import shown_struct

        return shown_struct(self)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        row = self.__foreign_type__
        if row.union:
            return bytes_of(self) == bytes_of(other)
        return all(getattr(self, name) == getattr(other, name) for name in row.names)

    def __copy__(self) -> Self:
        made = object.__new__(type(self))
        size = self._upper - self._lower
        own_memory(made, self.__foreign_type__, size)
        copy_struct(self, made._address, made, size)
        return made

    def __deepcopy__(self, memo: Any) -> Self:
        return self.__copy__()

    def __reduce__(self) -> Any:
        row = self.__foreign_type__
        if row.has_pointers:
            raise TypeError(
                f"cannot pickle {row.name}: it holds pointers, which mean nothing in another process"
            )
        return (from_bytes, (type(self), bytes_of(self)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live = NEVER

    def _exported(self) -> Exported:
        size = self._upper - self._lower
        return Exported(self._address, 1, b"B", (size,), bool(self._flags & READONLY))


def own_memory(made: Any, row: StructType, size: int) -> None:
    """Give a new object `size` zeroed bytes of its own."""
    inline = row.inline
    if inline and size <= row.inline_size:
        address = id(made) + inline
        made._owner = None
    elif made._live:
        # What others see of the old memory keeps this object alive, and would not keep that memory.
        raise TypeError(f"{row.name}() was initialised already")
    else:
        made._owner, address = own_block(size, row.alignment)
    made._address = made._lower = address
    made._upper = address + size
    made._live = ALWAYS
    made._keep = None


def initialise(made: Any, row: StructType, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Set members from a constructor's arguments and the defaults. Raises ArgumentTypeError for unknown
    ones."""
    fields = row.fields
    if row.union:
        given = {row.groups.get(name) for name in (*row.names[: len(args)], *kwargs)}
        if len(given) > 1:
            raise ArgumentTypeError(f"{row.name}() is a union: one member at a time, got {len(given)}")
    if args:
        if len(args) > len(row.names):
            raise ArgumentTypeError(f"{row.name}() takes at most {len(row.names)} members, got {len(args)}")
        for name, value in zip(row.names, args, strict=False):
            if name in kwargs:
                raise ArgumentTypeError(f"{row.name}() got member {name!r} twice")
            fields[name].put(made, value)
    for name, value in kwargs.items():
        field = fields.get(name)
        if field is None:
            raise unknown_member(row, name)
        field.put(made, value)
    positional = row.names[: len(args)]
    for name, value in row.defaults.items():
        if name not in kwargs and name not in positional:
            fields[name].put(made, value)


def unknown_member(row: StructType, name: str) -> ArgumentTypeError:
    """The error for a member that a struct does not have."""
    return ArgumentTypeError(f"{row.name} has no member {name!r}; it has {', '.join(row.names) or 'none'}")


def build(row: StructType, value: Any) -> Any:
    """A new instance from a sequence (members in order) or a mapping."""
    if isinstance(value, Mapping):
        return row.cls(**value)
    return row.cls(*value)


def copy_struct(source: Any, address: int, target: Any, size: int) -> None:
    """Copy the bytes of a struct to `address` in `target`'s memory; pointers among them keep their
    targets. Raises LifetimeError for either."""
    check_live(source)
    check_live(target)
    window.move_bytes(address, source._address, size)
    move_kept(target, address, source, source._address, size)


def bytes_of(value: Any) -> bytes:
    """The memory of a data object."""
    check_live(value)
    return window.read_bytes(value._address, value._upper - value._lower)


def from_bytes(cls: Any, data: bytes) -> Any:
    """A new struct with these contents; more than its size are a flexible array.

    Raises ValueError for another number of bytes, as in a pickle of a struct that has been declared anew.
    """
    row = cls.__foreign_type__
    if len(data) < row.size or (len(data) > row.size and row.flexible is None):
        raise ValueError(f"{len(data)} bytes are no {row.name}, which has {row.size}")
    made = object.__new__(cls)
    own_memory(made, row, len(data))
    window.write_bytes(made._address, data)
    return made
