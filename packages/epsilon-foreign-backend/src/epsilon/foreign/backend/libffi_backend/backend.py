"""`Backend` over cffi's ABI mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base import BackendBase
from ..binding import Binding
from ..ctypes_backend.backend import invoker as ctypes_invoker
from ..errors import UnsupportedSignatureError
from ..function import ForeignFunction, Invoke, foreign_function
from ..locks import ProcessLock
from ..shapes import composed
from ..signature import DEFAULT_CONVENTION, Signature
from ..splitting import split, with_expansion
from ..upcall import Upcall, completed
from .callback import LibffiCallback
from .types import Crossing, crossing, ffi

# cffi's C parser and its table of types are not made for several threads at once.
_lock = ProcessLock()


class LibffiBackend(BackendBase):
    """Calls through libffi as cffi wraps it.

    cffi always releases the GIL. A function bound with ``release_gil=False`` may touch the interpreter, so it
    goes through ctypes, the other wrapper of libffi, which can hold it.
    """

    name = "libffi"
    capabilities = frozenset(
        {"scalars", "long double", "complex", "aggregates", "variadic", "callbacks", "errno", "release_gil"}
    )

    def supports(self, signature: Signature) -> bool:
        """All scalars; complex numbers and aggregates where a plain struct travels the same way."""
        with _lock:
            return signature.convention == DEFAULT_CONVENTION and None not in map(crossing, signature.types)

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """See `Backend.bind`."""
        binding = self._validated(address, binding)
        return foreign_function(address, binding, self._invoker(address, binding), self.name)

    def redirect(self, function: Callable[..., Any], address: int | None) -> None:
        """See `Backend.redirect`."""
        if not isinstance(function, ForeignFunction):
            raise TypeError(f"not a function that the {self.name} backend bound: {function!r}")
        function.redirect(address, self._invoker(address, function.binding) if address else None)

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> LibffiCallback:
        """See `Backend.callback`."""
        return self.callback_maker(upcall)(function)

    def callback_maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], LibffiCallback]:
        """See `Backend.callback_maker`."""
        whole = completed(upcall)
        signature = whole.signature
        if not self.supports(signature):
            raise UnsupportedSignatureError(
                f"the {self.name} backend cannot make a callback of {signature!r}"
            )

        def make(function: Callable[..., Any]) -> LibffiCallback:
            with _lock:
                return LibffiCallback(function, whole)

        return make

    @staticmethod
    def _invoker(address: int, binding: Binding) -> Invoke:
        # cffi's C parser knows no function whose every parameter is variadic (C23); ctypes can call it.
        through_ctypes = not binding.release_gil or binding.signature.variadic_from == 0
        return (ctypes_invoker if through_ctypes else invoker)(address, binding)


def invoker(address: int, binding: Binding) -> Invoke:
    """A function of canonical values that calls `address` and returns the natural result (and errno)."""
    signature = binding.signature
    with _lock:
        parameters, marshals, variadic_from, expand = split(binding)
        found = [crossing(t, m) for t, m in zip(parameters, marshals, strict=True)]
        result = crossing(signature.result, binding.result_marshal)
        if result is None or None in found:
            raise UnsupportedSignatureError(f"libffi cannot call {signature!r}")
        arguments = [c for c in found if c is not None]
        call = ffi.cast(_declare(arguments, result, variadic_from), address)
        steps = _steps(arguments, variadic_from)
    call = with_expansion(composed(call, steps, result.from_c), expand)
    return _with_errno(call) if binding.capture_errno else call


def _declare(arguments: list[Crossing], result: Crossing, variadic: int | None) -> str:
    names = [c.ctype for c in arguments]
    if variadic is not None:
        names[variadic:] = ["..."]
    return f"{result.ctype}(*)({', '.join(names) or 'void'})"


def _steps(arguments: list[Crossing], variadic: int | None) -> list[Any]:
    steps: list[Any] = [c.to_c for c in arguments]
    if variadic is not None:
        steps[variadic:] = [_typed(c) for c in arguments[variadic:]]
    return steps


def _typed(crossing: Crossing) -> Any:
    """cffi wants every variadic argument as a cdata of its type."""
    ctype = ffi.typeof(crossing.ctype)
    if crossing.to_c is not None and ctype.kind != "pointer":
        return crossing.to_c
    if ctype.kind == "pointer":
        convert = crossing.to_c or (lambda value: value)

        def pointer(value: Any) -> Any:
            made = convert(value)
            return ffi.from_buffer("char[]", made) if isinstance(made, bytes) else made

        return pointer
    return lambda value: ffi.cast(ctype, value)


def _with_errno(call: Any) -> Invoke:
    def invoke(*values: Any) -> tuple[Any, int]:
        ffi.errno = 0
        result = call(*values)
        return result, ffi.errno

    return invoke
