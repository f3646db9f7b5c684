"""The type table: a foreign type is a row, and everything else asks the row.

A row knows its ABI type, how its values cross (`Marshal`), and, where the natural value of the ABI type will
not do, a function for each direction. Users add rows with `define_type`; richer types (structs, enums,
pointers) are objects that carry a row as ``__foreign_type__``.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index as to_index
from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import (
    AbiType,
    ArgumentTypeError,
    Converter,
    ForeignError,
    Marshal,
    borrow,
    converter,
    type_name,
)

from .errors import DeclarationError

if TYPE_CHECKING:
    from epsilon.foreign.backend import Accept, Contents, Pointee


class ForeignType:
    """One row: a C type and how its values become Python's and back.

    `to_foreign` takes any Python object and returns the canonical value of `marshal`, or raises an
    `ArgumentError`. `from_foreign` takes the natural result of `result_marshal` (`marshal` where not given)
    and returns what the user sees; None leaves it as it is.
    """

    __slots__ = (
        "abi",
        "array_class",
        "from_foreign",
        "items",
        "marshal",
        "name",
        "pointer_class",
        "result_marshal",
        "to_foreign",
    )

    #: False for a struct of which only the name is known: it has no size, so only pointers to it make sense.
    complete = True
    #: True for a struct whose members are being declared: whether it is complete is not known yet.
    making = False
    #: False for what no function returns by value.
    returned = True
    #: True for a parameter that C writes a result through.
    output = False

    def __init__(
        self,
        name: str,
        abi: AbiType,
        *,
        marshal: Marshal = Marshal.VALUE,
        result_marshal: Marshal | None = None,
        to_foreign: Converter | None = None,
        from_foreign: Callable[[Any], Any] | None = None,
    ) -> None:
        self.name = name
        self.abi = abi
        self.marshal = marshal
        self.result_marshal = result_marshal or marshal
        self.to_foreign: Converter = to_foreign or converter(abi, marshal)
        self.from_foreign = from_foreign
        # Made when they are first needed: how values lie in memory, and the classes of pointers and arrays.
        self.items: Any = None
        self.pointer_class: Any = None
        self.array_class: Any = None

    @property
    def size(self) -> int:
        """Size in bytes, as C's ``sizeof``."""
        return self.abi.size

    @property
    def alignment(self) -> int:
        """Alignment in bytes, as C's ``_Alignof``."""
        return self.abi.alignment

    def accept_objects(self) -> Accept | None:
        """Data objects that a backend may take by itself for a parameter of this type; they are what
        `to_foreign` would take."""
        return None

    def make_object(self) -> Pointee | Contents | None:
        """The object that a backend may make by itself of a value from C: what `from_foreign` would make."""
        return None

    @property
    def decayed(self) -> ForeignType:
        """What it is as a parameter: itself, but for arrays."""
        return self

    def of_library(self, library: Any) -> ForeignType:
        """What it is to the functions of a library, which may be where its values are freed."""
        return self

    def __call__(self, value: Any) -> Typed:
        """`value` with this C type, for the variadic part of a call: ``printf("%d", c.int(3))``.

        Raises an ArgumentError when the value does not fit.
        """
        self.to_foreign(value)
        return Typed(self, value)

    def __repr__(self) -> str:
        return f"c.{self.name}" if TYPES.get(self.name) is self else f"<foreign type {self.name}>"

    def __reduce__(self) -> Any:
        if TYPES.get(self.name) is not self:
            raise TypeError(f"cannot pickle {self!r}: it is not in the type table")
        return (lookup_type, (self.name,))


class Typed:
    """A value with the C type it is to be passed as."""

    __slots__ = ("type", "value")

    def __init__(self, type: ForeignType, value: Any) -> None:
        self.type = type
        self.value = value

    def __repr__(self) -> str:
        return f"{self.type!r}({self.value!r})"


#: Every named row.
TYPES: dict[str, ForeignType] = {}


def add_type(row: ForeignType, *, replace: bool = False) -> ForeignType:
    """Put a row into the table. Raises ValueError when its name is taken and `replace` is false."""
    if row.name in TYPES and not replace:
        raise ValueError(f"a foreign type named {row.name!r} is defined already")
    TYPES[row.name] = row
    return row


def lookup_type(name: str) -> ForeignType:
    """The row of that name. Raises UnknownTypeError."""
    try:
        return TYPES[name]
    except KeyError:
        raise UnknownTypeError(f"no foreign type is named {name!r}") from None


def define_type(
    name: str,
    base: Any,
    *,
    to_foreign: Callable[[Any], Any] | None = None,
    from_foreign: Callable[[Any], Any] | None = None,
    replace: bool = False,
) -> Any:
    """A type of one's own: passed as `base`, converted by two functions of one value.

    `to_foreign` turns the user's value into one that `base` takes; `from_foreign` turns what `base` gives
    into the user's. Either may be left out. Exceptions they raise reach the caller with a note that names the
    function and the argument, or for a result this type.

    Raises ValueError when the name is taken and `replace` is false, DeclarationError when `base` is no C
    type.
    """
    row = resolve_type(base)
    inward: Converter = row.to_foreign
    marshal = row.marshal
    if to_foreign is not None:
        # Every value must pass the user's function, so a stub may take none inline.
        inward = _chain(_chain(to_foreign, row.to_foreign), lend if marshal in _LENT else None)
        marshal = Marshal.OBJECT
    return add_type(
        ForeignType(
            name,
            row.abi,
            marshal=marshal,
            result_marshal=row.result_marshal,
            to_foreign=inward,
            from_foreign=_chain(row.from_foreign, _noted(from_foreign, name)),
        ),
        replace=replace,
    )


def _noted(from_foreign: Callable[[Any], Any] | None, name: str) -> Callable[[Any], Any] | None:
    """`from_foreign` whose exceptions say where they come from."""
    if from_foreign is None:
        return None

    def convert(value: Any) -> Any:
        try:
            return from_foreign(value)
        except Exception as error:
            error.add_note(f"while converting {value!r} from the foreign type {name!r}")
            raise

    return convert


_LENT = (Marshal.STRING, Marshal.BYTES)


def lend(value: bytes | None) -> int:
    """The address of a bytes object's content, which the returned address keeps alive; 0 for None."""
    return 0 if value is None else borrow(value)


def _chain(first: Any, then: Any) -> Any:
    """One function that applies `first`, then `then`; either may be None."""
    if first is None or then is None:
        return first or then
    return lambda value: then(first(value))


def resolve_type(annotation: Any) -> ForeignType:
    """The row that an annotation stands for.

    A row stands for itself, None for void, and any object with ``__foreign_type__`` for that row. Raises
    DeclarationError, with a hint for Python's own types, which have no size in C.
    """
    if isinstance(annotation, ForeignType):
        return annotation
    if annotation is None:
        return TYPES["void"]
    row = getattr(annotation, "__foreign_type__", None)
    if isinstance(row, ForeignType):
        return row
    if type(annotation).__name__ == "TypeAliasType":  # ``type radians = c.double``, new in Python 3.12
        return resolve_type(annotation.__value__)
    from . import callbacks, enums  # which add their resolvers when they are first needed  # noqa: F401

    for resolver in _resolvers:
        row = resolver(annotation)
        if row is not None:
            return row
    hint = _HINTS.get(annotation) if isinstance(annotation, type) else None
    shown = getattr(annotation, "__name__", None) or repr(annotation)
    raise DeclarationError(f"{shown} is not a C type" + (f"; did you mean {hint}?" if hint else ""))


#: Functions that know further annotations: each returns a row or None. Modules of this layer add theirs.
_resolvers: list[Callable[[Any], ForeignType | None]] = []


def add_resolver(resolver: Callable[[Any], ForeignType | None]) -> None:
    """Let `resolve_type` ask one more function, after the ones it asks already."""
    _resolvers.append(resolver)


_HINTS: dict[type, str] = {
    int: "c.int or c.long",
    float: "c.double",
    bool: "c.bool",
    str: "c.string",
    bytes: "c.bytes, or c.buffer for data",
    bytearray: "c.buffer",
    memoryview: "c.buffer",
    complex: "c.double_complex",
    type(None): "None",
}


class UnknownTypeError(ForeignError, LookupError):
    """No foreign type has that name."""


def whole(value: Any, what: str) -> int:
    """A count, a size or an index of a caller's. Raises ArgumentTypeError, which says `what` it is."""
    if not hasattr(type(value), "__index__"):
        raise ArgumentTypeError(f"{what} is an int, not {type_name(value)}")
    return to_index(value)


def to_foreign(value: Any, type: Any) -> Any:
    """The canonical value that `type` makes of a Python value.

    Raises an ArgumentError when it does not fit.
    """
    return resolve_type(type).to_foreign(value)


def from_foreign(value: Any, type: Any) -> Any:
    """What the user sees of a natural value of `type`."""
    convert = resolve_type(type).from_foreign
    return value if convert is None else convert(value)


# The rows of C's own types: whoever has the table has them.
from . import scalars  # noqa: E402, F401
