"""``Out[T]`` and ``InOut[T]``: parameters through which C returns values; in Python they are results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from epsilon.foreign.backend import (
    POINTER,
    ArgumentError,
    Backend,
    Binding,
    FunctionData,
    Kind,
    Marshal,
    Parameter,
    Signature,
    arrange,
    describe,
    expected,
    python_signature,
    render,
    use_backend,
)

from .errors import DeclarationError
from .objects import Data
from .types import ForeignType, resolve_type

if TYPE_CHECKING:
    import inspect

    from .function import Declaration


class OutType(ForeignType):
    """The row of a parameter through which C returns a value of type `target`; `both`: it reads one there
    first."""

    __slots__ = ("both", "target")

    returned = False
    output = True

    def __init__(self, target: ForeignType, both: bool) -> None:
        word = "InOut" if both else "Out"
        if target.name == "void" or not target.complete or getattr(target, "count", 0) is None:
            raise DeclarationError(f"{word}[{target.name}]: {target.name} has no size")
        if isinstance(target, OutType) or target.result_marshal in (Marshal.BUFFER, Marshal.WRITABLE):
            raise DeclarationError(f"{word}[{target.name}]: {target.name} is no value that C can return")
        super().__init__(f"{word}[{target.name}]", POINTER, marshal=Marshal.OBJECT, to_foreign=_cell_address)
        self.target = target
        self.both = both

    def to(self, target: ForeignType) -> OutType:
        """The same kind of parameter for another type."""
        return OutType(target, self.both)

    def of_library(self, library: Any) -> OutType:
        """See `ForeignType.of_library`."""
        target = self.target.of_library(library)
        return self if target is self.target else self.to(target)


def _cell_address(value: Any) -> int:
    if isinstance(value, Data):
        return value.__foreign_address__()
    raise expected("memory for a result", value)


class Out:
    """``Out[T]``: C writes a T through this parameter. The call takes no argument for it; the T is a
    result."""

    def __class_getitem__(cls, annotation: Any) -> OutType:
        return OutType(resolve_type(annotation), both=False)


class InOut:
    """``InOut[T]``: C reads and writes a T through this parameter. The call takes a T; the new one is a
    result."""

    def __class_getitem__(cls, annotation: Any) -> OutType:
        return OutType(resolve_type(annotation), both=True)


class OutFunction:
    """A bound function with `Out` or `InOut` parameters.

    It returns what C wrote through them: one value, or a tuple in the order of the parameters; the C result
    comes first unless it is void.
    """

    def __init__(self, inner: Callable[..., Any], declaration: Declaration, backend: Backend) -> None:
        if any(
            isinstance(p.type, OutType) and p.default is not Ellipsis and not p.type.both
            for p in declaration.parameters
        ):
            raise DeclarationError(f"{declaration.name}(): an Out parameter takes no argument, so no default")
        self.__wrapped__ = inner
        # What C writes may be addresses in the process that it runs in.
        self._elsewhere = backend if getattr(backend, "remote", None) is not None else None
        self.__name__ = self.__qualname__ = declaration.name
        self.__doc__ = declaration.doc
        self.__module__ = declaration.module or __name__
        self._rows = [p.type for p in declaration.parameters]
        self._void = declaration.result.abi.kind is Kind.VOID
        visible = [p for p in declaration.parameters if not isinstance(p.type, OutType) or p.type.both]
        self._binding = Binding(
            Signature(POINTER, [POINTER] * len(visible)),
            name=declaration.name,
            parameters=tuple(Parameter(p.name, default=p.default, describe=p.type.name) for p in visible),
            result_describe=self._described(declaration),
            doc=declaration.doc,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._elsewhere is None:
            return self._call(args, kwargs)
        with use_backend(self._elsewhere):
            return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if kwargs or len(args) != len(self._binding.parameters):
            args = arrange(self._binding, args, kwargs)
        given = iter(args)
        cells = []
        values = []
        for position, row in enumerate(self._rows):
            if not isinstance(row, OutType):
                values.append(_lasting(next(given), row))
                continue
            cell = self._cell(row, next(given), position) if row.both else _new(row.target)
            cells.append(cell)
            values.append(cell)
        result = self.__wrapped__(*values)
        outputs = [_value(cell, row) for cell, row in zip(cells, filter(_is_out, self._rows), strict=True)]
        if not self._void:
            outputs.insert(0, result)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _cell(self, row: OutType, value: Any, position: int) -> Any:
        """Memory that holds an argument."""
        cell = _new(row.target)
        try:
            row.target.items.store(cell._address, value, cell)
        except ArgumentError as error:
            raise type(error)(f"{self.__name__}() argument for parameter {position + 1}: {error}") from None
        return cell

    def _described(self, declaration: Declaration) -> str:
        shown = [] if self._void else [declaration.result.name]
        shown += [row.target.name for row in self._rows if isinstance(row, OutType)]
        return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"

    @property
    def address(self) -> int:
        """Where the C function is; 0 when its library is closed."""
        return describe(self.__wrapped__).address

    def __foreign_function__(self) -> FunctionData:
        return describe(self.__wrapped__)

    @property
    def __signature__(self) -> inspect.Signature:
        return python_signature(self._binding)

    def __repr__(self) -> str:
        where = f"at {self.address:#x}" if self.address else "closed"
        return f"<foreign function {render(self._binding)} {where}>"

    def __reduce__(self) -> Any:
        raise TypeError(
            f"cannot pickle foreign function {self.__name__!r}: an address means nothing in another process; "
            "declare the function there again"
        )


def _lasting(value: Any, row: ForeignType) -> Any:
    """A text as the bytes that C sees, which live until the results are read: C may return a pointer into
    them.
    """
    if row.marshal is not Marshal.STRING or not isinstance(value, str):
        return value
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value  # the conversion of the argument says what is wrong


def _is_out(row: ForeignType) -> bool:
    return isinstance(row, OutType)


def _new(row: ForeignType) -> Any:
    from .creation import new
    from .items import items_of

    items_of(row)  # so that `row.items` is there
    return new(row)


def _value(cell: Any, row: Any) -> Any:
    """A struct or an array is its own memory; anything else is read."""
    return cell if row.target.abi.kind is Kind.AGGREGATE else cell[0]
