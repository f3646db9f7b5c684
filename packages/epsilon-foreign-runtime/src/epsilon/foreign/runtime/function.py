"""From C types to a bound function: each parameter's row becomes what the backend needs to know of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from epsilon.foreign.backend import (
    DEFAULT_CONVENTION,
    Backend,
    Binding,
    Guard,
    Kind,
    Marshal,
    Parameter,
    Signature,
    select_backend,
    type_name,
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
    function = backend.bind(address, binding)
    if _has_outputs(declaration):
        from .out import OutFunction  # which needs all of C data

        return OutFunction(function, declaration, backend), backend
    return function, backend


def binding_of(declaration: Declaration, variadic_from: int | None = None) -> Binding:
    """What the backend is told of a declaration.

    Raises DeclarationError for what C has no meaning for. A default that does not fit is found when it is
    used.
    """
    try:
        checked = _checked(declaration.parameters)
    except TypeError as error:
        if not isinstance(error, DeclarationError):  # a default that cannot be hashed
            checked = _checked.__wrapped__(declaration.parameters)
        else:
            raise DeclarationError(f"{declaration.name}(): {error}") from None
    if checked is not declaration.parameters:
        declaration = declaration._replace(parameters=checked)
    _validate(declaration)
    try:
        made = _prototype(declaration.result, declaration.parameters, variadic_from, declaration.convention)
    except TypeError:  # a default that cannot be hashed
        made = _prototype.__wrapped__(
            declaration.result, declaration.parameters, variadic_from, declaration.convention
        )
    signature, parameters = made
    check = declaration.check
    return Binding(
        signature,
        name=declaration.name,
        parameters=parameters,
        result_marshal=declaration.result.result_marshal,
        finish=_finish(declaration),
        guard=_guard(declaration),
        release_gil=declaration.release_gil,
        capture_errno=check is not None,
        doc=declaration.doc,
        result_describe=declaration.result.name,
        module=declaration.module,
        make=declaration.result.make_object() if check is None else None,
    )


@functools.lru_cache(maxsize=1024)
def _prototype(
    result: ForeignType, parameters: tuple[Declared, ...], variadic_from: int | None, convention: str
) -> tuple[Signature, tuple[Parameter, ...]]:
    """What functions of one type share: made once, so that the thousandth is bound by look-ups."""
    signature = Signature(
        result.abi, [p.type.abi for p in parameters], variadic_from=variadic_from, convention=convention
    )
    return signature, tuple(
        [
            Parameter(
                p.name, p.type.marshal, p.type.to_foreign, p.default, p.type.name, p.type.accept_objects()
            )
            for p in parameters
        ]
    )


@functools.lru_cache(maxsize=1024)
def _checked(parameters: tuple[Declared, ...]) -> tuple[Declared, ...]:
    """Parameters as C takes them, arrays as pointers (C11 6.7.6.3p7). Raises DeclarationError."""
    seen: set[str] = set()
    for position, parameter in enumerate(parameters, 1):
        problem = None
        if parameter.type.abi.kind is Kind.VOID:
            problem = " cannot be void"
        elif not parameter.type.complete:
            problem = f": {parameter.type.name} is incomplete; only pointers to it can be passed"
        elif parameter.name and parameter.name in seen:
            problem = " is repeated"
        if problem is not None:
            raise DeclarationError(
                f"parameter {repr(parameter.name) if parameter.name else position}{problem}"
            )
        seen.add(parameter.name)
    rows = [p.type.decayed for p in parameters]
    if all(row is p.type for row, p in zip(rows, parameters, strict=True)):
        return parameters
    return tuple([p._replace(type=row) for row, p in zip(rows, parameters, strict=True)])


def settled(declaration: Declaration, library: Any) -> Declaration:
    """A declaration whose types are those of a library: see `ForeignType.of_library`."""
    result = declaration.result.of_library(library)
    if result is not declaration.result:
        declaration = declaration._replace(result=result)
    return _with_rows(declaration, [p.type.of_library(library) for p in declaration.parameters])


def _with_rows(declaration: Declaration, rows: Sequence[ForeignType]) -> Declaration:
    """A declaration with other types of parameters; itself where they are the same."""
    parameters = declaration.parameters
    if all(row is p.type for row, p in zip(rows, parameters, strict=True)):
        return declaration
    made = [p._replace(type=row) for row, p in zip(rows, parameters, strict=True)]
    return declaration._replace(parameters=tuple(made))


def _has_outputs(declaration: Declaration) -> bool:
    """Does any parameter return a value?"""
    return any(p.type.output for p in declaration.parameters)


def _validate(declaration: Declaration) -> None:
    if declaration.variadic and _has_outputs(declaration):
        raise DeclarationError(f"{declaration.name}(): a variadic function cannot have Out parameters")
    result, check = declaration.result, declaration.check
    if not result.complete or not result.returned:
        raise DeclarationError(f"{declaration.name}(): C returns no {result.name} by value")
    if result.result_marshal in (Marshal.BUFFER, Marshal.WRITABLE):
        raise DeclarationError(
            f"{declaration.name}(): the result cannot be a {result.name}: nothing tells its length; "
            "say c.pointer"
        )
    if check is not None and not callable(check):
        raise DeclarationError(f"{declaration.name}(): check is no function but {type_name(check)}")
    kinds = _GUARDED.get(getattr(check, "guard", Guard.ALWAYS))
    if kinds is not None and result.abi.kind not in kinds:
        shown = getattr(check, "__name__", repr(check))
        raise DeclarationError(
            f"{declaration.name}(): {shown} can tell nothing from a result of type {result.name}"
        )


def _guard(declaration: Declaration) -> Guard:
    """When `finish` must see a result: always where it is converted, else when the check says."""
    if declaration.check is None or declaration.result.from_foreign is not None:
        return Guard.ALWAYS
    guard: Guard = getattr(declaration.check, "guard", Guard.ALWAYS)
    return guard


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
