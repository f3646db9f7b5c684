"""Variadic functions: every combination of extra argument types is a function of its own to the machine.

The fixed parameters are declared. Extra arguments are given as typed values (``c.int(10)``) or as Python's
own: int as `int` (or `long long` where it does not fit), float as `double`, str and bytes as `char *`, None
and objects with an address as `void *`, bool as `int`. C's default promotions (C11 6.5.2.2p6) apply to typed
values too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from epsilon.foreign.backend import (
    ArgumentRangeError,
    ArgumentTypeError,
    Backend,
    Binding,
    ClosedLibraryError,
    ProcessLock,
    Signature,
    expected,
    promoted,
    type_name,
)

from .errors import DeclarationError
from .function import Declaration, Declared, binding_of
from .types import TYPES, ForeignType, Typed

#: Bound combinations that one function keeps; more means that the least recently bound is bound again.
COMBINATIONS = 256


class VariadicFunction:
    """A variadic C function: call it with the fixed arguments and any number of extra ones."""

    def __init__(self, address: int, declaration: Declaration, choose: Callable[[Any], Backend]) -> None:
        if any(p.default is not Ellipsis for p in declaration.parameters):
            raise DeclarationError(f"{declaration.name}(): a variadic function cannot have defaults")
        self.__name__ = self.__qualname__ = declaration.name
        self.__doc__ = declaration.doc
        self.__module__ = declaration.module or __name__
        self.address = address
        self.declaration = declaration
        self._choose = choose
        self._fixed = len(declaration.parameters)
        self._bound: dict[tuple[ForeignType, ...], tuple[Callable[..., Any], Backend]] = {}
        self._lock = ProcessLock()

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        fixed = self._fixed
        if keywords:
            raise ArgumentTypeError(
                f"{self.__name__}() is variadic and takes no keywords, got {next(iter(keywords))!r}"
            )
        if len(args) < fixed:
            plural = "" if fixed == 1 else "s"
            raise ArgumentTypeError(
                f"{self.__name__}() takes at least {fixed} argument{plural}, got {len(args)}"
            )
        extra = args[fixed:]
        types = tuple([self._type(i, v) for i, v in enumerate(extra, fixed)])
        found = self._bound.get(types)
        if found is None:
            found = self._bind(types)
        values = [v.value if type(v) is Typed else v for v in extra]
        return found[0](*args[:fixed], *values)

    def _bind(self, types: tuple[ForeignType, ...]) -> tuple[Callable[..., Any], Backend]:
        declaration = self.declaration
        extra = tuple(Declared(_promoted_row(t)) for t in types)
        binding = binding_of(
            declaration._replace(parameters=declaration.parameters + extra), variadic_from=self._fixed
        )
        backend = self._choose(binding.signature)
        # Held so that a library closed by another thread redirects this combination too, or shows that it is
        # closed.
        with self._lock:
            if not self.address:
                raise ClosedLibraryError(f"{self.__name__}() was called, but its library is closed")
            found = (backend.bind(self.address, binding), backend)
            if len(self._bound) >= COMBINATIONS:
                del self._bound[next(iter(self._bound))]
            self._bound[types] = found
        return found

    def _type(self, position: int, value: Any) -> ForeignType:
        if type(value) is Typed:
            return value.type
        row = _DEFAULTS.get(type(value))
        if row is not None and (row is not _INT or _INT_LOW <= value <= _INT_HIGH):
            return row
        try:
            return _infer(value)
        except (ArgumentTypeError, ArgumentRangeError) as error:
            raise type(error)(f"{self.__name__}() argument {position + 1}: {error}") from None

    def redirect(self, address: int | None) -> None:
        """Call `address` from now on; None makes every call raise ClosedLibraryError."""
        with self._lock:
            self.address = address or 0
            for function, backend in self._bound.values():
                backend.redirect(function, address)

    @property
    def name(self) -> str:
        """See `FunctionData`."""
        return self.declaration.name

    @property
    def doc(self) -> str | None:
        """See `FunctionData`."""
        return self.declaration.doc

    @property
    def binding(self) -> Binding:
        """That of a call without extra arguments."""
        return binding_of(self.declaration, variadic_from=self._fixed)

    @property
    def signature(self) -> Signature:
        """That of a call without extra arguments."""
        return self.binding.signature

    @property
    def backend(self) -> str:
        """The name of the backend that serves a call without extra arguments."""
        return self._choose(self.signature).name

    def __foreign_function__(self) -> VariadicFunction:
        return self

    @property
    def __signature__(self) -> Any:
        import inspect

        kinds = inspect.Parameter
        fixed = [
            kinds(p.name or f"arg{i}", kinds.POSITIONAL_ONLY, annotation=p.type.name)
            for i, p in enumerate(self.declaration.parameters, 1)
        ]
        rest = "args"
        while rest in {parameter.name for parameter in fixed}:
            rest += "_"
        return inspect.Signature(
            [*fixed, kinds(rest, kinds.VAR_POSITIONAL)], return_annotation=self.declaration.result.name
        )

    def __repr__(self) -> str:
        shown = ", ".join([*(p.type.name for p in self.declaration.parameters), "..."])
        where = f"at {self.address:#x}" if self.address else "closed"
        return (
            f"<variadic foreign function {self.__name__}({shown}) -> {self.declaration.result.name} {where}>"
        )

    def __copy__(self) -> Self:
        return self  # as any Python function; a builtin of the trampoline is its own copy too

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(
            f"cannot pickle foreign function {self.__name__!r}: an address means nothing in another process; "
            "declare the function there again"
        )


_INT = TYPES["int"]
_INT_LOW, _INT_HIGH = _INT.abi.bounds
_DEFAULTS: dict[type, ForeignType] = {
    int: _INT,
    bool: _INT,
    float: TYPES["double"],
    str: TYPES["string"],
    bytes: TYPES["string"],
    complex: TYPES["double_complex"],
    type(None): TYPES["pointer"],
}


def _infer(value: Any) -> ForeignType:
    """The C type for a Python value that `_DEFAULTS` does not settle."""
    row = getattr(type(value), "__foreign_type__", None)
    if isinstance(row, ForeignType):
        return row
    if hasattr(type(value), "__foreign_address__"):
        return TYPES["pointer"]
    for base, known in _DEFAULTS.items():
        if isinstance(value, base) and base is not int:
            return known
    if hasattr(value, "__index__"):
        number = value.__index__()
        for name in ("int", "longlong", "ulonglong"):
            low, high = TYPES[name].abi.bounds
            if low <= number <= high:
                return TYPES[name]
        raise ArgumentRangeError(f"{type_name(value)} does not fit any C integer")
    raise expected("a value with a C type of its own, such as c.int(3)", value)


def _promoted_row(row: ForeignType) -> ForeignType:
    """The row that a variadic argument of type `row` is passed as: same values, promoted ABI type."""
    abi = promoted(row.abi)
    if abi == row.abi:
        return row
    return ForeignType(
        row.name,
        abi,
        marshal=row.marshal,
        to_foreign=row.to_foreign,
        from_foreign=row.from_foreign,
    )
