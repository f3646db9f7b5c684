"""What one bound function is, beyond its signature: everything `Backend.bind` needs to prepare it once."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .abi import AbiType, Kind
from .signature import Signature

if TYPE_CHECKING:
    from .likeness import Contents, Pointee

#: Turns any Python value into the canonical one of its `Marshal`, or raises an `ArgumentError`.
Converter = Callable[[Any], Any]


class Marshal(enum.Enum):
    """How a Python value crosses. It decides what a stub may take inline, and what *canonical* value a
    converter must produce for everything else.

    ========= =================================== =============================== =======================
    marshal   the fast path takes                 canonical argument              result
    ========= =================================== =============================== =======================
    VALUE     int, bool, float, complex; for a    int in range, bool, float,      int, bool, float,
              pointer None or int                 complex; pointer: int (0 is     complex, None (void);
                                                  NULL); aggregate: bytes-like    pointer: int, None for
                                                  of its size                     NULL; aggregate: bytes
    STRING    str, bytes (no NUL inside), None    bytes without a NUL, or None    str (UTF-8), or None
    BYTES     bytes, None                         bytes, or None                  bytes up to NUL, or None
    BUFFER    any contiguous buffer, None         int (an `Address` that holds    (no result)
                                                  the buffer)
    WRITABLE  any writable contiguous buffer,     as BUFFER                       (no result)
              None
    OBJECT    nothing: the converter sees it      as VALUE                        as VALUE
    ========= =================================== =============================== =======================
    """

    VALUE = "value"
    STRING = "string"
    BYTES = "bytes"
    BUFFER = "buffer"
    WRITABLE = "writable"
    OBJECT = "object"

    __hash__ = object.__hash__  # as for `Kind`


class Guard(enum.Enum):
    """When `Binding.finish` is called at all: a test on the raw result that a stub can do inline."""

    ALWAYS = "always"
    NEGATIVE = "negative"
    NONZERO = "nonzero"
    ZERO = "zero"

    __hash__ = object.__hash__  # as for `Kind`


class Address(int):
    """A canonical pointer argument that keeps what it points to alive, and exported, while it exists."""

    keep: object

    def __new__(cls, value: int, keep: object = None) -> Address:
        self = super().__new__(cls, value)
        self.keep = keep
        return self


class Accept(NamedTuple):
    """Data objects that a backend may take by itself, without asking `Parameter.convert`.

    They are instances of exactly one of `types`, subclasses of `Memory`, `MOST_ACCEPTED` at most, whose memory is
    live. A pointer parameter gets their address, and NULL for None; an aggregate, the bytes they begin with. An object
    that is `READONLY` is taken for a pointer only when `readonly`.
    """

    types: tuple[type, ...]
    readonly: bool = False


#: A backend compares with one type after the other.
MOST_ACCEPTED = 4


class Parameter(NamedTuple):
    """One parameter as the caller sees it.

    `convert` of None means the conversion that belongs to the ABI type and the marshal. An Ellipsis for
    `default` means there is none. A nameless parameter can only be given by position. What `accept` allows must
    be what `convert` would do; a pointer has it with the marshal OBJECT, an aggregate with that or VALUE.
    """

    name: str = ""
    marshal: Marshal = Marshal.VALUE
    convert: Converter | None = None
    default: Any = Ellipsis
    describe: str = ""
    """The type as the user wrote it, for messages and signatures."""
    accept: Accept | None = None


class Binding(NamedTuple):
    """Everything specific to one function.

    `finish` is applied to the natural result (see `Marshal`) when `guard` says so: ``finish(result)``, or
    ``finish(result, errno)`` when `capture_errno`. With `capture_errno`, errno is set to 0 before the call
    and read directly after it, before Python can change it.

    A backend that can make the object of `make` may do so in place of the natural result and of `finish`, which
    must come to the same and take no errno.
    """

    signature: Signature
    name: str = "function"
    parameters: tuple[Parameter, ...] = ()
    result_marshal: Marshal = Marshal.VALUE
    finish: Callable[..., Any] | None = None
    guard: Guard = Guard.ALWAYS
    release_gil: bool = True
    capture_errno: bool = False
    doc: str | None = None
    result_describe: str = ""
    module: str | None = None
    make: Pointee | Contents | None = None

    @property
    def marshals(self) -> tuple[Marshal, ...]:
        """One marshal a parameter; VALUE where the binding says nothing."""
        given = tuple(p.marshal for p in self.parameters)
        return given + (Marshal.VALUE,) * (len(self.signature.parameters) - len(given))


def validate(binding: Binding) -> Binding:
    """Check a binding against its signature; returns it with a `Parameter` for every ABI parameter.

    Raises ValueError for more parameters than the signature has, a default before a required parameter, a
    repeated name or one that is no identifier, a marshal that the ABI type cannot have, or a guard that
    cannot be asked of the result.
    """
    try:
        full = _complete(binding.signature, binding.parameters)
    except TypeError:  # a default that cannot be hashed
        full = _complete.__wrapped__(binding.signature, binding.parameters)
    except ValueError as error:
        raise ValueError(f"{binding.name}: {error}") from None
    _validate_result(binding)
    return binding if full is binding.parameters else binding._replace(parameters=full)


@functools.lru_cache(maxsize=1024)
def _complete(signature: Signature, parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """`parameters`, checked, with one for every ABI parameter. Many functions share them: checked once."""
    types = signature.parameters
    if len(parameters) > len(types):
        raise ValueError(f"{len(parameters)} parameters for {signature!r}")
    full = parameters + (Parameter(),) * (len(types) - len(parameters))
    seen: set[str] = set()
    defaults = False
    for parameter, type in zip(full, types, strict=True):
        if parameter.name and parameter.name in seen:
            raise ValueError(f"parameter {parameter.name!r} is repeated")
        if parameter.name and not parameter.name.isidentifier():
            raise ValueError(f"{parameter.name!r} cannot name a parameter")
        seen.add(parameter.name)
        if parameter.default is not Ellipsis:
            defaults = True
        elif defaults:
            raise ValueError(f"parameter {parameter.name!r} has no default but follows one that has")
        if parameter.marshal not in (Marshal.VALUE, Marshal.OBJECT) and type.kind is not Kind.POINTER:
            raise ValueError(f"{type.name} cannot be marshalled as {parameter.marshal.value}")
        if parameter.accept is not None:
            _validate_accept(parameter, type, parameter.accept)
    return full


#: Kinds that take data objects -> the marshals they do it with.
_ACCEPTING = {Kind.POINTER: (Marshal.OBJECT,), Kind.AGGREGATE: (Marshal.OBJECT, Marshal.VALUE)}


def _validate_accept(parameter: Parameter, type: AbiType, accept: Accept) -> None:
    from .memobject import Memory  # which needs this module

    if parameter.marshal not in _ACCEPTING.get(type.kind, ()):
        raise ValueError(f"{type.name} marshalled as {parameter.marshal.value} accepts no objects")
    if not 0 < len(accept.types) <= MOST_ACCEPTED or not all(issubclass(cls, Memory) for cls in accept.types):
        raise ValueError(
            f"a parameter accepts 1 to {MOST_ACCEPTED} subclasses of Memory, not {accept.types!r}"
        )


def _validate_result(binding: Binding) -> None:
    kind, marshal = binding.signature.result.kind, binding.result_marshal
    shown = f"{binding.name}: a result of {binding.signature.result.name}"
    if marshal in (Marshal.BUFFER, Marshal.WRITABLE):
        raise ValueError(f"{binding.name}: a result cannot be a buffer")
    if marshal in (Marshal.STRING, Marshal.BYTES) and kind is not Kind.POINTER:
        raise ValueError(f"{shown} cannot be marshalled as {marshal.value}")
    wordless = kind in (Kind.VOID, Kind.AGGREGATE, Kind.COMPLEX)
    if binding.guard is not Guard.ALWAYS and (
        wordless or (binding.guard is Guard.NEGATIVE and kind not in (Kind.SIGNED, Kind.UNSIGNED, Kind.FLOAT))
    ):
        raise ValueError(f"{shown} cannot be guarded as {binding.guard.value}")
    if binding.make is not None and kind is not binding.make.kind:
        raise ValueError(f"{shown} cannot be made into {binding.make!r}")
    if binding.make is not None and binding.capture_errno:
        raise ValueError(f"{shown} is made into an object, so nothing is there to take errno")
