"""A function's type as the machine sees it: what a stub, a cif or a prototype is made from."""

from __future__ import annotations

from collections.abc import Iterable

from .abi import DOUBLE, FLOAT, INT32, LONGDOUBLE, VOID, AbiType, Kind

#: The calling convention that C functions have on the running platform.
DEFAULT_CONVENTION = "c"


class Signature:
    """Result, parameters, where the variadic part begins, and the calling convention.

    Immutable and hashable; equal signatures share stubs. `variadic_from` is the number of declared parameters
    of a variadic function: those from that index on were given for one particular call, and must already be
    of promoted types (C11 6.5.2.2p6: no integer narrower than int, no float). `convention` is ``"c"``, the
    platform's own, or a name such as ``"sysv"`` or ``"ms"`` that a backend may know.

    Raises ValueError for a void parameter, a `variadic_from` out of range, or an unpromoted variadic
    argument.
    """

    __slots__ = ("_hash", "convention", "parameters", "result", "variadic_from")

    result: AbiType
    parameters: tuple[AbiType, ...]
    variadic_from: int | None
    convention: str

    def __init__(
        self,
        result: AbiType = VOID,
        parameters: Iterable[AbiType] = (),
        *,
        variadic_from: int | None = None,
        convention: str = DEFAULT_CONVENTION,
    ) -> None:
        parameters = tuple(parameters)
        put = object.__setattr__
        put(self, "result", result)
        put(self, "parameters", parameters)
        put(self, "variadic_from", variadic_from)
        put(self, "convention", convention)
        put(self, "_hash", hash((result, parameters, variadic_from, convention)))
        self._validate()

    def _validate(self) -> None:
        for index, parameter in enumerate(self.parameters):
            if parameter.kind is Kind.VOID:
                raise ValueError(f"parameter {index + 1} is void")
        if self.variadic_from is None:
            return
        if not 0 <= self.variadic_from <= len(self.parameters):
            raise ValueError(f"variadic_from={self.variadic_from} with {len(self.parameters)} parameters")
        for index, parameter in enumerate(self.parameters[self.variadic_from :], self.variadic_from):
            if parameter.kind not in (Kind.POINTER, Kind.AGGREGATE, Kind.COMPLEX) and parameter != promoted(
                parameter
            ):
                raise ValueError(f"variadic argument {index + 1} is an unpromoted {parameter.name}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Signature is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("Signature is immutable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signature):
            return NotImplemented
        return self is other or (
            self._hash == other._hash
            and self.result == other.result
            and self.parameters == other.parameters
            and self.variadic_from == other.variadic_from
            and self.convention == other.convention
        )

    def __hash__(self) -> int:
        return self._hash

    _hash: int

    def __repr__(self) -> str:
        names = [p.name for p in self.parameters]
        if self.variadic_from is not None:
            names.insert(self.variadic_from, "...")
        convention = "" if self.convention == DEFAULT_CONVENTION else f" [{self.convention}]"
        return f"<signature {self.result.name}({', '.join(names)}){convention}>"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.result, self.parameters, self.variadic_from, self.convention))

    @property
    def types(self) -> tuple[AbiType, ...]:
        """The result's type and those of the parameters."""
        return (self.result, *self.parameters)

    @property
    def is_simple(self) -> bool:
        """True when every value travels in one integer or floating register or one stack slot."""
        return not any(t.kind in (Kind.AGGREGATE, Kind.COMPLEX) or is_long_double(t) for t in self.types)

    @property
    def needs_libffi(self) -> bool:
        """True when `long double` or a complex number is involved: no other backend calls those
        everywhere.
        """
        return any(t.kind is Kind.COMPLEX or is_long_double(t) for t in self.types)


def _rebuild(
    result: AbiType, parameters: tuple[AbiType, ...], variadic_from: int | None, convention: str
) -> Signature:
    return Signature(result, parameters, variadic_from=variadic_from, convention=convention)


def is_long_double(type: AbiType) -> bool:
    """True for a `long double` that is not just another `double`."""
    return type.kind is Kind.FLOAT and type.size > 8 and type == LONGDOUBLE


def promoted(type: AbiType) -> AbiType:
    """The type that a variadic argument of `type` is passed as (C11 6.5.2.2p6, 6.3.1.1p2)."""
    if type == FLOAT:
        return DOUBLE
    if type.kind is Kind.BOOL or (type.is_integer and type.size < INT32.size):
        return INT32
    return type
