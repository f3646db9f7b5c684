"""Typed pointers: an address, the bounds that it may be used within, and whose memory it is.

Arithmetic never leaves Python: a pointer may point anywhere, and only an access is checked: NULL, bounds,
lifetime, alignment, constness. A pointer that C gave has an address but no bounds until `bounded` states
them.
"""

from __future__ import annotations

from operator import index as to_index
from typing import Any, Self

from epsilon.foreign.backend import (
    LIVE,
    POINTER,
    READONLY,
    UNALIGNED,
    Accept,
    Address,
    ArgumentValueError,
    Exported,
    Marshal,
    Pointee,
    check_reach,
    remote_memory,
    remotes,
    window,
)

from .accessors import items_base
from .const import Const, const_name
from .errors import AlignmentError, BoundsError, ConstError, DeclarationError, NullPointerError
from .items import Items, items_of, load_address, store_address
from .lending import lend_to
from .members import StructType, holds_pointer
from .objects import ALWAYS, PRESUMED, Data, check_live, kept_at, making, place
from .types import TYPES, ForeignType, resolve_type, whole

_BASE = window.BASE
_CELLS = window.VIEWS["Q"]
_SPACE = 1 << 8 * POINTER.size
#: No process has memory beyond this address.
_END = _SPACE // 2


class PointerType(ForeignType):
    """The row of ``Pointer[T]``."""

    __slots__ = ("_made", "cls", "forward")

    def __init__(self, cls: Any, name: str) -> None:
        super().__init__(
            name, POINTER, marshal=Marshal.OBJECT, to_foreign=self._lend, from_foreign=self.from_address
        )
        self.cls = cls
        self._made: Pointee | None = None

    def accept_objects(self) -> Accept:
        """Pointers of the same type, and what is pointed to: structs, and arrays of elements."""
        cls, row = self.cls, self.cls._target
        types = [cls]
        if isinstance(row, ForeignType) and row.complete and row.name != "void":
            pointed = [row.cls] if isinstance(row, StructType) else []
            types = [*pointed, *{cls: None, pointer_to(row): None}, *_arrays_of(row)]
        return Accept(tuple(types), cls._const)

    def make_object(self) -> Pointee | None:
        """A pointer without an owner, as `from_address` makes it."""
        cls = self.cls
        if self._made is None:
            try:
                size = cls._promised and cls._promised * cls.target_size()
            except DeclarationError:  # not known yet, or never
                return None
            # A pointer that pointers are stored through keeps their targets alive, until it is dropped.
            row = cls._target
            reuse = isinstance(row, ForeignType) and row.complete and not holds_pointer(row.abi)
            self._made = Pointee(cls.from_address(0), size, reuse)
        return self._made

    def _lend(self, value: Any) -> int:
        return lend_to(value, self.cls)

    def from_address(self, address: int | None) -> Any:
        """A pointer to an address that C gave: bounded where the type promises a number of elements."""
        return self.cls.from_address(address or 0)

    def make_items(self) -> Items:
        """See `items_of`. A stored pointer keeps its target alive, and gets its bounds back when it is
        read."""
        cls, lend, plain = self.cls, self._lend, self.from_address

        def load(address: int, holder: Any) -> Any:
            found = load_address(address, holder)
            target = kept_at(holder, address, found) if found else None
            if not isinstance(target, Data):
                return plain(found)
            owner = target if target._owner is None else target._owner
            return pointer_at(cls, found, target._lower, target._upper, target._live, owner, target._flags)

        def store(address: int, value: Any, holder: Any) -> None:
            lent = lend(value)
            store_address(address, Address(lent, value) if isinstance(value, Data) else lent, holder)

        return Items(self, self.size, self.alignment - 1, load, store, None, b"P")


def _arrays_of(row: ForeignType) -> tuple[Any, ...]:
    """The class of arrays of `row`, if there can be any."""
    from .arrays import array_class

    try:
        return (array_class(row),)
    except DeclarationError:
        return ()


def pointer_at(cls: Any, address: int, lower: int, upper: int, live: int, owner: Any, flags: int = 0) -> Any:
    """A pointer of class `cls` to `address`, for memory [lower, upper)."""
    made = place(cls, address, upper, live, owner, (flags & ~UNALIGNED) | (READONLY if cls._const else 0))
    made._lower = lower
    return made


class Pointer(Data):
    """``Pointer[T]``: the address of values of type T; ``Pointer`` alone is ``void *``.

    ``p[i]`` is the value, or for structs and arrays a view of it; ``p[a:b]`` an `Array` over the same memory;
    ``p + n`` and ``p - n`` move by elements, ``p - q`` counts them. A pointer is false when it is NULL.
    Pointers with known bounds can be iterated, and export their memory by the buffer protocol.

    Raised on access: NullPointerError, BoundsError (an IndexError), LifetimeError, AlignmentError, and
    ConstError for writing through ``Pointer[Const[T]]``.
    """

    __slots__ = ()

    __foreign_type__: ForeignType
    _target: Any = None
    _const = False
    _promised = 0
    _items: Items | None = None

    def __class_getitem__(cls, parameters: Any) -> Any:
        return pointer_class(parameters)

    def __new__(cls, *_: Any) -> Self:
        shown = const_name(cls)
        raise TypeError(f"use pointer(object), null({shown}) or Pointer[{shown}].from_address(address)")

    @classmethod
    def from_address(cls, address: int) -> Self:
        """A pointer to any address; nothing is known about the memory there. Raises what `c.pointer`
        raises."""
        address = TYPES["pointer"].to_foreign(address)
        # Modulo the address space: C says that it failed by (void *) -1, which bounds no memory then.
        upper = (address + cls._promised * cls.target_size()) % _SPACE if cls._promised and address else 0
        if upper and remotes and (remote := remote_memory()) is not None and not remote.shares(address):
            upper = 0  # what is promised is in another process
        made: Self = pointer_at(cls, address, address if upper else 0, upper, ALWAYS, None)
        return made

    @classmethod
    def target(cls) -> ForeignType:
        """The row of the type pointed to."""
        if not isinstance(cls._target, ForeignType):
            cls._target = cls._target.resolve()
        return cls._target

    @classmethod
    def target_size(cls) -> int:
        """Bytes an element takes. Raises DeclarationError for void and incomplete types."""
        return cls.elements().size

    @classmethod
    def elements(cls) -> Items:
        """How elements are accessed; see `items_of`."""
        items = cls._items
        if items is None:
            target = cls.target()
            if not target.complete or (target.size == 0 and target.name == "void"):
                raise DeclarationError(
                    f"{cls.__name__}: the size of {target.name} is not known; cast the pointer first"
                )
            items = cls._items = items_of(target)
        return items

    @property
    def address(self) -> int:
        """The address it holds; 0 is NULL."""
        return self._address

    def _place(self, index: Any, items: Items) -> int:
        """The address of element `index`, checked."""
        offset = (
            index if type(index) is int else whole(index, f"the index of a {type(self).__name__}")
        ) * items.size
        address = self._address + offset
        if self._lower <= address <= self._upper - items.size and self._address:
            live = self._live
            if not live or _CELLS[(live - _BASE) >> 3] != LIVE:
                check_live(self)
            if address & items.low and not self._flags & UNALIGNED:
                raise AlignmentError(
                    f"{type(self).__name__}[{index}]: {address:#x} is not a multiple of {items.low + 1}"
                )
            return address
        raise self._refusal(index, items)

    def _refusal(self, index: Any, items: Items) -> Exception:
        shown = f"{type(self).__name__}[{index}]"
        if not self._address:
            return NullPointerError(f"{shown}: the pointer is NULL")
        if not self._upper:
            if remotes:  # what is promised by the type may be there, but not in this process
                check_reach(self._address, items.size, self._owner)
            return BoundsError(
                f"{shown}: the bounds of {self._address:#x} are unknown; state them by .bounded(n)"
            )
        check_live(self)
        before = -((self._address - self._lower) // items.size)
        after = (self._upper - self._address) // items.size
        return BoundsError(f"{shown}: the index is out of bounds, {before} to {after - 1}")

    def __getitem__(self, index: Any) -> Any:
        items = self._items or self.elements()
        if isinstance(index, slice):
            return self._slice(index)
        return items.load(self._place(index, items), self)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            self._slice(index)[:] = value
            return
        items = self._items or self.elements()
        address = self._place(index, items)
        if self._flags & READONLY:
            raise ConstError(f"{type(self).__name__}[{index}] cannot be written: it is const")
        items.store(address, value, self)

    def _slice(self, index: slice) -> Any:
        from .arrays import array_over

        items = self.elements()
        if index.step not in (None, 1):
            raise ValueError("a slice of a pointer is a view of its memory, whose step is 1")
        shown = f"the index of a {type(self).__name__}"
        start = 0 if index.start is None else whole(index.start, shown)
        if index.stop is None and not self._upper:
            raise self._refusal(f"{start}:", items)
        stop = len(self) if index.stop is None else max(start, whole(index.stop, shown))
        if stop == start:
            self._place_empty(start, items)
        else:
            self._place(stop - 1, items)
            self._place(start, items)
        return array_over(self, self._address + start * items.size, stop - start)

    def _place_empty(self, start: int, items: Items) -> None:
        if not self._address or not self._lower <= self._address + start * items.size <= self._upper:
            raise self._refusal(start, items)
        check_live(self)

    def __len__(self) -> int:
        """Elements from here to the upper bound. Raises BoundsError when that is not known."""
        items = self.elements()
        if not self._upper:
            raise self._refusal("len", items)
        return max(0, (self._upper - self._address) // items.size)

    def __iter__(self) -> Any:
        return iter(self._slice(slice(0, len(self))))

    def __bool__(self) -> bool:
        return self._address != 0

    def _moved(self, address: int, cls: Any = None) -> Any:
        return pointer_at(
            cls or type(self), address, self._lower, self._upper, self._live, self._anchor(), self._flags
        )

    def _anchor(self) -> Any:
        # A raw address has no owner, but pointers stored in its memory are kept by the pointer they went
        # through.
        return self if self._owner is None and self._keep is not None else self._owner

    def __add__(self, count: Any) -> Any:
        if not hasattr(count, "__index__"):
            return NotImplemented
        return self._moved(_wrapped(self._address + to_index(count) * self.target_size()))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Pointer):
            size = self.target_size()
            if other.elements().size != size:
                shown = f"{type(self).__name__} - {type(other).__name__}"
                raise TypeError(f"{shown}: their elements differ in size")
            return (self._address - other._address) // size
        if not hasattr(other, "__index__"):
            return NotImplemented
        return self._moved(_wrapped(self._address - to_index(other) * self.target_size()))

    def __eq__(self, other: object) -> bool:
        return self._address == other._address if isinstance(other, Pointer) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._address < other._address if isinstance(other, Pointer) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._address <= other._address if isinstance(other, Pointer) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._address > other._address if isinstance(other, Pointer) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._address >= other._address if isinstance(other, Pointer) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._address)

    def __int__(self) -> int:
        return self._address

    def cast(self, type: Any) -> Any:
        """The same address and bounds, as a pointer to `type`. Raises DeclarationError."""
        return self._moved(self._address, pointer_class((type, 0)))

    def bounded(self, count: int) -> Self:
        """The same address, for `count` elements from here: the caller vouches for them when nothing is known.

        Of a pointer that C passed to a callback nothing is known but that there is an element. Raises BoundsError
        when known bounds are narrower, ArgumentValueError for a negative count, NullPointerError,
        RemoteMemoryError for an address in another process.
        """
        items = self.elements()
        count = whole(count, f"the number of elements of {type(self).__name__}.bounded")
        if count < 0:
            raise ArgumentValueError(f"{type(self).__name__}.bounded: there are no {count} elements")
        if not self._address:
            raise self._refusal(f"0:{count}", items)
        upper = self._address + count * items.size
        if self._address < window.BASE or upper > _END:
            raise BoundsError(
                f"{type(self).__name__}.bounded: no memory lies at {self._address:#x} to {upper:#x}"
            )
        known = self._upper and not self._flags & PRESUMED
        if known and not self._lower <= self._address <= upper <= self._upper:
            raise self._refusal(f"0:{count}", items)
        if remotes and not self._upper:
            check_reach(self._address, count * items.size, self._owner)
        made: Self = self._moved(self._address)
        made._flags &= ~PRESUMED
        made._lower, made._upper = self._address, upper
        return made

    def release(self) -> None:
        """Free the memory of an owned result, or of `alloc`, now; see `blocks.release` for what that
        raises."""
        from .blocks import release

        release(self)

    def _exported(self) -> Exported:
        from .arrays import exported_elements

        return exported_elements(self._slice(slice(0, len(self))))

    def __copy__(self) -> Self:
        moved: Self = self._moved(self._address)
        return moved

    def __deepcopy__(self, memo: Any) -> Self:
        return self.__copy__()

    def __repr__(self) -> str:
        if not self._address:
            return f"<{type(self).__name__} NULL>"
        size = 0 if self._target is None or not self._upper else self.elements().size
        bounds = f", {max(0, self._upper - self._address) // size} elements" if size else ""
        return f"<{type(self).__name__} {self._address:#x}{bounds}>"


def _wrapped(address: int) -> int:
    if not 0 <= address < _SPACE:
        raise OverflowError(f"the address {address:#x} is outside the address space")
    return address


def pointer_class(parameters: Any) -> Any:
    """The class ``Pointer[T]``, made once for each T; ``Pointer[T, n]``: C promises at least n elements."""
    from .forward import Forward

    annotation, promised = parameters if isinstance(parameters, tuple) else (parameters, 0)
    promised = promised.__args__[0] if hasattr(promised, "__args__") else promised
    if type(promised) is not int or promised < 0:
        raise DeclarationError(f"Pointer[..., {promised!r}]: the number of elements is an int, 0 or more")
    if isinstance(annotation, str):
        return Forward.here(annotation, promised, depth=2)
    const = isinstance(annotation, Const)
    return pointer_to(resolve_type(annotation), const=const, promised=promised)


def pointer_to(row: ForeignType, *, const: bool = False, promised: int = 0) -> Any:
    """As `pointer_class`, from a row."""
    made = row.pointer_class
    cls = None if made is None else made.get((const, promised))
    if cls is None:
        with making:
            made = row.pointer_class = row.pointer_class or {}
            cls = made.get((const, promised))
            if cls is None:
                cls = made[const, promised] = new_pointer_class(row, row.name, const, promised)
    return cls


def new_pointer_class(target: Any, name: str, const: bool, promised: int) -> Any:
    """A class of pointers to `target`: a row, or something whose ``resolve()`` gives one later."""
    shown = f"Const[{name}]" if const else name
    shown = f"Pointer[{shown}, {promised}]" if promised else f"Pointer[{shown}]"
    namespace = {"__slots__": (), "_target": target, "_const": const, "_promised": promised}
    namespace |= {"__module__": __name__, "__doc__": f"``{shown}``: see `Pointer`."}
    cls: Any = type(shown, (items_base(Pointer, target),), namespace)
    cls.__foreign_type__ = PointerType(cls, shown)
    return cls


Pointer._target = TYPES["void"]
Pointer.__foreign_type__ = PointerType(Pointer, "Pointer")
# ``Pointer[None]`` is the same class, so that a stub takes what another function gave.
TYPES["void"].pointer_class = {(False, 0): Pointer}


def null(type: Any) -> Any:
    """The NULL pointer to `type`."""
    return pointer_class((type, 0)).from_address(0)
