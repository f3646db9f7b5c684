"""Arrays: ``Array[T, n]`` the C type, and `Array` the class of its values, which are views of memory."""

from __future__ import annotations

import itertools
import struct
import sys
from collections.abc import Iterable, Iterator
from operator import index as to_index
from typing import Any

from epsilon.foreign.backend import (
    LIVE,
    READONLY,
    ArgumentTypeError,
    ArgumentValueError,
    Exported,
    Field,
    Marshal,
    aggregate,
    expected,
    window,
)

from .accessors import items_base
from .errors import BoundsError, ConstError, DeclarationError, LayoutError
from .items import Items, items_of
from .objects import Data, check_live, making, move_kept, view
from .types import ForeignType, resolve_type, whole

_BASE = window.BASE
_CELLS = window.VIEWS["Q"]


class ArrayType(ForeignType):
    """The row of ``Array[T, n]``: a member of a struct, an element of another array, or called, a new array.

    `count` is None for a flexible array, ``Array[T, ...]``, which only the end of a struct can be.
    """

    __slots__ = ("count", "element")

    returned = False

    def __init__(self, element: ForeignType, count: int | None) -> None:
        if not element.complete:
            raise DeclarationError(f"Array[{element.name}, {count}]: {element.name} is incomplete")
        shown = f"Array[{element.name}, {'...' if count is None else count}]"
        abi = element.abi
        if abi.size == 0 and element.name == "void":
            raise DeclarationError(f"{shown}: there are no arrays of void")
        super().__init__(
            shown,
            aggregate((count or 0) * abi.size, abi.alignment, (Field(0, abi, count or 0),), shown),
            marshal=Marshal.OBJECT,
            to_foreign=self._by_value,
            from_foreign=self._by_value,
        )
        self.element = element
        self.count = count

    def _by_value(self, value: Any) -> Any:
        raise expected(f"a type that C passes by value; {self.name} is none", value)

    @property
    def cls(self) -> Any:
        """The class of these arrays: one for each element type."""
        return array_class(self.element)

    @property
    def decayed(self) -> ForeignType:
        """What it is as a parameter: a pointer to its elements."""
        from .pointers import pointer_to

        return pointer_to(self.element).__foreign_type__  # type: ignore[no-any-return]  # a pointer class's row

    def __call__(self, *values: Any) -> Any:
        """A new array in memory of its own: zeroed, or from one iterable of elements."""
        from .creation import new

        return new(self, *values)

    def make_items(self) -> Items:
        """See `items_of`: an array is read as a view, and written as a whole."""
        cls, size, low = self.cls, self.size, self.alignment - 1

        def load(address: int, holder: Any) -> Any:
            return view(cls, address, size, low + 1, holder)

        def store(address: int, value: Any, holder: Any) -> None:
            fill(view(cls, address, size, low + 1, holder), value, self.name)

        return Items(self, size, low, load, store, None, b"")


class Array(Data):
    """Elements of one C type in memory, as a sequence of fixed length.

    ``a[i]`` is a value, or for structs and arrays a view; ``a[-1]`` the last; ``a[1:3]`` an array over the
    same memory. Arrays compare with arrays and lists by elements, and export their memory by the buffer
    protocol, so that ``memoryview(a)`` and ``numpy.asarray(a)`` copy nothing. Raised: BoundsError (an
    IndexError), LifetimeError, ConstError, and the errors of the elements' conversion.
    """

    __slots__ = ()

    _element: ForeignType
    _items: Items
    __hash__ = None  # type: ignore[assignment]  # contents change

    def __class_getitem__(cls, parameters: Any) -> Any:
        return array_type(parameters)

    def __new__(cls, *_: Any) -> Any:
        raise TypeError("use array(type, count or values), or call a type with a length: Array[c.int, 3]()")

    @classmethod
    def target(cls) -> ForeignType:
        """The row of the elements."""
        return cls._element

    @property
    def address(self) -> int:
        """The address of the first element."""
        return self._address

    def __len__(self) -> int:
        return (self._upper - self._lower) // (self._items.size or 1)

    def _place(self, index: Any) -> int:
        items = self._items
        number = index if type(index) is int else whole(index, f"the index of an {self._shown()}")
        size = items.size
        address = (self._upper if number < 0 else self._address) + number * size
        if self._lower <= address <= self._upper - size:
            live = self._live
            if not live or _CELLS[(live - _BASE) >> 3] != LIVE:
                check_live(self)
            return address
        length = len(self)
        raise BoundsError(f"{self._shown()}[{number}]: the index is out of bounds, {-length} to {length - 1}")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start, stop = self._range(index)
            return array_over(self, self._address + start * self._items.size, stop - start)
        return self._items.load(self._place(index), self)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            part = self[index]
            fill(part, value)
            return
        address = self._place(index)
        if self._flags & READONLY:
            raise ConstError(f"{self._shown()} cannot be written: it is const")
        self._items.store(address, value, self)

    def _range(self, index: slice) -> tuple[int, int]:
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise ValueError(f"a slice of an array is a view of its memory, whose step is 1, not {step}")
        check_live(self)
        return start, max(start, stop)

    def __iter__(self) -> Iterator[Any]:
        code = self._items.code
        if code is not None and self._address % self._items.size == 0:
            check_live(self)
            start = (self._address - _BASE) // self._items.size
            return iter(window.VIEWS[code][start : start + len(self)].tolist())
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, value: object) -> bool:
        return any(value == item for item in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Array, list, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    @property
    def raw(self) -> bytes:
        """All the bytes."""
        check_live(self)
        return window.read_bytes(self._address, self._upper - self._lower)

    @property
    def value(self) -> Any:
        """Of an array of `char` the bytes before the first NUL, of `wchar` the text; assigned, the rest
        becomes NUL."""
        text = self._text("value")
        end = text.find(b"\0") if isinstance(text, bytes) else text.find("\0")
        return text if end < 0 else text[:end]

    @value.setter
    def value(self, value: Any) -> None:
        fill(self, self._text("value")[:0] + value, pad=True)

    def _text(self, name: str) -> Any:
        if self._element.name == "wchar":
            return "".join(self)
        if self._element.size != 1:
            raise AttributeError(f"{self._shown()} has no {name}: only arrays of characters have")
        return self.raw

    def cast(self, type: Any) -> Any:
        """A pointer to the same memory as values of another type, with its bounds."""
        return self._pointer().cast(type)

    def __add__(self, count: int) -> Any:
        """A pointer to element `count`, as in C."""
        return self._pointer() + count

    def _pointer(self) -> Any:
        from .creation import pointer

        return pointer(self)

    def _exported(self) -> Exported:
        return exported_elements(self)

    def _shown(self) -> str:
        return f"Array[{self._element.name}, {len(self)}]"

    def __copy__(self) -> Any:
        from .creation import array

        return array(self._element, self)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __repr__(self) -> str:
        from .display import shown_array

        return shown_array(self)


def array_class(element: ForeignType) -> Any:
    """The class of arrays of `element`."""
    cls = element.array_class
    if cls is None:
        with making:
            cls = element.array_class
            if cls is None:
                name = f"Array[{element.name}]"
                namespace = {"__slots__": (), "_element": element, "_items": items_of(element)}
                cls = element.array_class = type(
                    name, (items_base(Array, element),), namespace | {"__module__": __name__}
                )
    return cls


class Flexible:
    """``Array[c.uint8, Flexible]``: a flexible array, as ``Array[c.uint8, ...]`` is; checkers do not take the dots."""


def array_type(parameters: Any) -> Any:
    """``Array[T, n]``, ``Array[T, ...]``, ``Array[T, Literal[n]]``: a row; ``Array[T]``: the class of its
    values."""
    if not isinstance(parameters, tuple):
        return array_class(resolve_type(parameters))
    if len(parameters) != 2:
        raise DeclarationError(f"Array[T, n] takes a type and a length, got {len(parameters)} parameters")
    element, count = resolve_type(parameters[0]), literal(parameters[1])
    if count is Ellipsis or count is Flexible:
        return ArrayType(element, None)
    if isinstance(count, bool) or not hasattr(count, "__index__"):
        raise DeclarationError(f"Array[{element.name}, {count!r}]: the length is an int or ...")
    length = checked_count(to_index(count), element)
    return ArrayType(element, length)


def literal(size: Any) -> Any:
    """The number in ``Literal[n]``, which is how type checkers take one; anything else as it is."""
    arguments = getattr(size, "__args__", None)
    return arguments[0] if arguments and len(arguments) == 1 else size


def checked_count(count: int, element: ForeignType) -> int:
    """`count` elements. Raises LayoutError for a negative count, or more bytes than there can be."""
    if count < 0:
        raise LayoutError(f"Array[{element.name}, {count}]: an array has no {count} elements")
    if count * element.size > sys.maxsize:
        raise LayoutError(f"Array[{element.name}, {count}]: more than {sys.maxsize} bytes")
    return count


def array_over(holder: Data, address: int, count: int) -> Any:
    """An array over `count` elements of a pointer's or an array's memory."""
    element: ForeignType = holder.target()  # type: ignore[attr-defined]  # pointers and arrays have it
    made = view(array_class(element), address, count * element.size, 1, holder)
    made._flags = holder._flags
    return made


def exported_elements(array: Any) -> Exported:
    """Format and shape of an array of numbers, of arrays of them, of structs (PEP 3118)."""
    element, shape = array._element, [len(array)]
    while isinstance(element, ArrayType):
        shape.append(element.count or 0)
        element = element.element
    items = items_of(element)
    if not items.format:
        return Exported(array._address, 1, b"B", (*shape, items.size), bool(array._flags & READONLY))
    return Exported(array._address, items.size, items.format, tuple(shape), bool(array._flags & READONLY))


def fill(target: Any, value: Any, name: str = "", *, pad: bool = False) -> None:
    """Assign a whole array, called `name` in messages: from an array, bytes (to bytes), or any iterable of as
    many elements.

    Bytes and text shorter than an array of characters leave NULs behind. Raises ArgumentTypeError,
    ArgumentValueError for another number of elements, ConstError, and what an element's conversion raises;
    then nothing is changed.
    """
    check_live(target)  # and again after code of the values' classes has run
    if target._flags & READONLY:
        raise ConstError(f"{name or target._shown()} cannot be written: it is const")
    element, length, items = target._element, len(target), target._items
    if isinstance(value, Array) and value._element is element:
        if len(value) != length:
            raise _wrong_number(len(value), target, name)
        check_live(value)
        size = length * items.size
        window.move_bytes(target._address, value._address, size)
        move_kept(target, target._address, value, value._address, size)
        return
    if element.size == 1 and isinstance(value, (bytes, bytearray, memoryview)):
        data = memoryview(value).tobytes()
        if len(data) > length or (len(data) < length and element.name != "char" and not pad):
            raise _wrong_number(len(data), target, name)
        check_live(target)
        window.write_bytes(target._address, data.ljust(length, b"\0"))
        return
    if element.name == "wchar" and isinstance(value, str) and len(value) < length:
        value = value.ljust(length, "\0")
    # A tuple, because code of the elements' classes could make a list longer meanwhile.
    values = tuple(value if type(value) is list else listed(value, name or target._shown()))
    _fill_items(target, values, name)


def listed(value: Any, name: str) -> list[Any]:
    """The elements of an iterable; text, numbers and mappings are none."""
    if isinstance(value, dict) or not isinstance(value, Iterable):
        raise expected(f"an array or an iterable of elements for {name}", value)
    return list(value)


def _wrong_number(given: int, target: Any, name: str) -> ArgumentValueError:
    return ArgumentValueError(f"expected {len(target)} elements for {name or target._shown()}, got {given}")


def _fill_items(target: Any, values: tuple[Any, ...], name: str) -> None:
    items = target._items
    if len(values) != len(target):
        raise _wrong_number(len(values), target, name)
    if items.code is not None:
        try:
            data = struct.pack(f"{len(values)}{items.code}", *values)
        except (struct.error, OverflowError):
            pass  # the conversion of the elements says what is wrong with which
        else:
            check_live(target)
            window.write_bytes(target._address, data)
            return
    from .creation import array

    made = array(target._element, len(values))
    for position, value in zip(itertools.count(), values):
        try:
            items.store(made._address + position * items.size, value, made)
        except (ArgumentTypeError, ArgumentValueError, OverflowError) as error:
            raise type(error)(f"{name or target._shown()}[{position}]: {error}") from None
    check_live(target)
    size = len(values) * items.size
    window.move_bytes(target._address, made._address, size)
    move_kept(target, target._address, made, made._address, size)
