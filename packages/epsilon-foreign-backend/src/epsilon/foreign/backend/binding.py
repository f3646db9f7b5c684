"""What one bound function is, beyond its signature: everything `Backend.bind` needs to prepare it once."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from .abi import Kind
from .signature import Signature

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


class Parameter(NamedTuple):
    """One parameter as the caller sees it.

    `convert` of None means the conversion that belongs to the ABI type and the marshal. An Ellipsis for
    `default` means there is none. A nameless parameter can only be given by position.
    """

    name: str = ""
    marshal: Marshal = Marshal.VALUE
    convert: Converter | None = None
    default: Any = Ellipsis
    describe: str = ""
    """The type as the user wrote it, for messages and signatures."""


class Binding(NamedTuple):
    """Everything specific to one function.

    `finish` is applied to the natural result (see `Marshal`) when `guard` says so: ``finish(result)``, or
    ``finish(result, errno)`` when `capture_errno`. With `capture_errno`, errno is set to 0 before the call
    and read directly after it, before Python can change it.
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
    return full


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
