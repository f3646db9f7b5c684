"""The callable that an interpreting backend (ctypes, libffi) binds: convert, call, finish."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from . import pending
from .arguments import preparer
from .binding import Binding, Guard
from .errors import ClosedLibraryError
from .inspection import python_signature, render

if TYPE_CHECKING:
    import inspect

#: Calls C with canonical values and returns the natural result; with `capture_errno`, that and errno.
Invoke = Callable[..., Any]

_PASSES: dict[Guard, Callable[[Any], bool]] = {
    Guard.NEGATIVE: lambda result: not result < 0,
    Guard.NONZERO: lambda result: result is None or result == 0,
    # A NULL pointer is None here, and so is a NULL string.
    Guard.ZERO: lambda result: result is not None and result != 0,
}


class ForeignFunction:
    """A bound function of the ctypes or the libffi backend."""

    def __init__(self, address: int, binding: Binding, invoke: Invoke, backend: str) -> None:
        self.__name__ = self.__qualname__ = binding.name
        self.__doc__ = binding.doc
        self.__module__ = binding.module or __name__
        self.address = address
        self.binding = binding
        self.signature = binding.signature
        self.backend = backend
        self._prepare = preparer(binding)
        self._invoke = invoke
        self._run = _runner(self._prepare, self._call, binding)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(args, kwargs)

    def redirect(self, address: int | None, invoke: Invoke | None) -> None:
        """Call `address` by `invoke` from now on, or raise ClosedLibraryError when there is none."""
        if invoke is None or address is None:
            name = self.__name__
            self.address = 0

            def closed(*args: Any) -> Any:
                raise closed_error(name)

            self._run = self._invoke = closed
            return
        self.address = address
        self._invoke = invoke
        self._run = _runner(self._prepare, self._call, self.binding)

    def _call(self, *values: Any) -> Any:
        # A look-up for every call: the library may have been closed while the arguments were converted.
        return self._invoke(*values)

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


def _runner(prepare: Any, call: Invoke, binding: Binding) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    finish = binding.finish

    def invoke(*values: Any) -> Any:
        result = call(*values)
        if pending.kept:
            pending.collect()
        return result

    if finish is None:
        if binding.capture_errno:
            return lambda args, kwargs: invoke(*prepare(args, kwargs))[0]
        return lambda args, kwargs: invoke(*prepare(args, kwargs))
    passes = _PASSES.get(binding.guard)
    if not binding.capture_errno:

        def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            result = invoke(*prepare(args, kwargs))
            return result if passes is not None and passes(result) else finish(result)

        return run

    def run_errno(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result, errno = invoke(*prepare(args, kwargs))
        return result if passes is not None and passes(result) else finish(result, errno)

    return run_errno


def closed_error(name: str) -> ClosedLibraryError:
    """What a function of a closed library raises."""
    return ClosedLibraryError(f"{name}() was called, but its library is closed")


def unpicklable(name: str) -> str:
    """The message for pickling a bound function, or copying it through pickle."""
    return (
        f"cannot pickle foreign function {name!r}: an address means nothing in another process; "
        "declare the function there again"
    )
