"""From C types to a bound function: the row of each parameter becomes what the backend needs to know of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from epsilon.foreign.backend import (
    DEFAULT_CONVENTION,
    Backend,
    Binding,
    Guard,
    Kind,
    Parameter,
    Signature,
    select_backend,
)

from .checks import Check
from .errors import DeclarationError
from .types import ForeignType


class Declared(NamedTuple):
    """One declared parameter. An Ellipsis for `default` means there is none."""

    type: ForeignType
    name: str = ""
    default: Any = Ellipsis


class Declaration(NamedTuple):
    """A foreign function as its user declared it."""

    name: str
    result: ForeignType
    parameters: tuple[Declared, ...]
    variadic: bool = False
    check: Check | None = None
    release_gil: bool = True
    convention: str = DEFAULT_CONVENTION
    doc: str | None = None
    module: str | None = None


def bind_declaration(address: int, declaration: Declaration) -> tuple[Callable[..., Any], Backend]:
    """Bind a function that is not variadic on the backend that `select_backend` gives for its signature."""
    binding = binding_of(declaration)
    backend = select_backend(binding.signature)
    return backend.bind(address, binding), backend


def binding_of(declaration: Declaration, variadic_from: int | None = None) -> Binding:
    """What the backend is told of a declaration.

    Raises DeclarationError for a void parameter, a default that does not fit is found when it is used.
    """
    for position, parameter in enumerate(declaration.parameters, 1):
        if parameter.type.abi.kind is Kind.VOID:
            label = repr(parameter.name) if parameter.name else str(position)
            raise DeclarationError(f"{declaration.name}(): parameter {label} cannot be void")
    signature = Signature(
        declaration.result.abi,
        [p.type.abi for p in declaration.parameters],
        variadic_from=variadic_from,
        convention=declaration.convention,
    )
    check = declaration.check
    return Binding(
        signature,
        name=declaration.name,
        parameters=tuple(
            Parameter(p.name, p.type.marshal, p.type.to_foreign, p.default, p.type.name)
            for p in declaration.parameters
        ),
        result_marshal=declaration.result.result_marshal,
        finish=_finish(declaration),
        guard=_guard(declaration),
        release_gil=declaration.release_gil,
        capture_errno=check is not None,
        doc=declaration.doc,
        result_describe=declaration.result.name,
        module=declaration.module,
    )


def _guard(declaration: Declaration) -> Guard:
    """When `finish` must see a result: always where it is converted, else when the check says."""
    if declaration.check is None or declaration.result.from_foreign is not None:
        return Guard.ALWAYS
    guard = getattr(declaration.check, "guard", Guard.ALWAYS)
    if guard is not Guard.ALWAYS and declaration.result.abi.kind not in _GUARDED[guard]:
        return Guard.ALWAYS
    return guard  # type: ignore[no-any-return]  # the attribute of a check is a Guard


_NUMBERS = frozenset((Kind.SIGNED, Kind.UNSIGNED, Kind.BOOL, Kind.FLOAT))
_GUARDED = {
    Guard.NEGATIVE: frozenset((Kind.SIGNED, Kind.FLOAT)),
    Guard.NONZERO: _NUMBERS | {Kind.POINTER},
    Guard.ZERO: _NUMBERS | {Kind.POINTER},
}


def _finish(declaration: Declaration) -> Callable[..., Any] | None:
    convert, check, name = declaration.result.from_foreign, declaration.check, declaration.name
    if check is None:
        return convert
    if convert is None:
        return lambda result, errno: check(result, errno, name)
    return lambda result, errno: check(convert(result), errno, name)


def declared(parameters: Sequence[ForeignType], names: Sequence[str] | None) -> tuple[Declared, ...]:
    """Parameters from types and, where given, names. Raises DeclarationError when the numbers differ."""
    if names is None:
        return tuple(Declared(row) for row in parameters)
    if len(names) != len(parameters):
        raise DeclarationError(f"{len(names)} names for {len(parameters)} parameters")
    return tuple(Declared(row, name) for row, name in zip(parameters, names, strict=True))
