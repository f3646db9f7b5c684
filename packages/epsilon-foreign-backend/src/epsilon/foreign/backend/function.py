"""The callable that an interpreting backend (ctypes, libffi) binds: convert, call, finish."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from .arguments import converters_of
from .binding import Binding
from .errors import ClosedLibraryError
from .inspection import python_signature, render
from .shapes import caller

if TYPE_CHECKING:
    import inspect

#: Calls C with canonical values and returns the natural result; with `capture_errno`, that and errno.
Invoke = Callable[..., Any]


class ForeignFunction:
    """A bound function of the ctypes or the libffi backend.

    `foreign_function` makes one that can be called, of a subclass.
    """

    def __init__(self, address: int, binding: Binding, invoke: Invoke, backend: str) -> None:
        self.__name__ = self.__qualname__ = binding.name
        self.__doc__ = binding.doc
        self.__module__ = binding.module or __name__
        self.address = address
        self.binding = binding
        self.signature = binding.signature
        self.backend = backend
        self._converters = converters_of(binding)
        self._finish = binding.finish
        self._invoke = invoke

    def redirect(self, address: int | None, invoke: Invoke | None) -> None:
        """Call `address` by `invoke` from now on, or raise ClosedLibraryError when there is none."""
        self.address = address or 0
        self._invoke = invoke or _refusal(self.__name__)

    def closed(self) -> ClosedLibraryError:
        """What a call raises after the library has been closed."""
        return closed_error(self.__name__)

    @property
    def name(self) -> str:
        """See `FunctionData`."""
        return self.binding.name

    @property
    def doc(self) -> str | None:
        """See `FunctionData`."""
        return self.binding.doc

    def __foreign_function__(self) -> ForeignFunction:
        return self

    @property
    def __signature__(self) -> inspect.Signature:
        return python_signature(self.binding)

    def __repr__(self) -> str:
        where = f"at {self.address:#x}" if self.address else "closed"
        return f"<foreign function {render(self.binding)} {where} [{self.backend}]>"

    def __copy__(self) -> Self:
        return self  # as any Python function; a builtin of the trampoline is its own copy too

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(unpicklable(self.__name__))


def _refusal(name: str) -> Invoke:
    def refuse(*values: Any) -> Any:
        raise closed_error(name)

    return refuse


def foreign_function(address: int, binding: Binding, invoke: Invoke, backend: str) -> Callable[..., Any]:
    """The `ForeignFunction` for a validated `binding`, which calls C by `invoke`."""
    made: Callable[..., Any] = _class(caller(binding))(address, binding, invoke, backend)
    return made


@functools.lru_cache(maxsize=1024)
def _class(call: Callable[..., Any]) -> Any:
    """The class of the functions of one shape: Python finds ``__call__`` nowhere but in a class."""
    return type(ForeignFunction.__name__, (ForeignFunction,), {"__call__": call, "__module__": __name__})


def closed_error(name: str) -> ClosedLibraryError:
    """What a function of a closed library raises."""
    return ClosedLibraryError(f"{name}() was called, but its library is closed")


def unpicklable(name: str) -> str:
    """The message for pickling a bound function, or copying it through pickle."""
    return (
        f"cannot pickle foreign function {name!r}: an address means nothing in another process; "
        "declare the function there again"
    )
