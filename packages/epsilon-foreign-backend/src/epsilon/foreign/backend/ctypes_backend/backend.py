"""`Backend` over ctypes' function pointers."""

from __future__ import annotations

import ctypes
import functools
from _ctypes import FUNCFLAG_CDECL, FUNCFLAG_PYTHONAPI, FUNCFLAG_USE_ERRNO, CFuncPtr
from collections.abc import Callable
from typing import Any

from ..abi import Kind
from ..base import BackendBase
from ..binding import Binding
from ..errors import UnsupportedSignatureError
from ..function import ForeignFunction, Invoke, foreign_function
from ..shapes import composed
from ..signature import DEFAULT_CONVENTION, Signature
from ..splitting import split, with_expansion
from ..upcall import Upcall, completed
from .callback import CtypesCallback
from .types import Crossing, crossing


class CtypesBackend(BackendBase):
    """Calls through `ctypes`; see the package's docstring for what it cannot do."""

    name = "ctypes"
    capabilities = frozenset(
        {"scalars", "long double", "complex", "aggregates", "variadic", "callbacks", "errno", "release_gil"}
    )

    def supports(self, signature: Signature) -> bool:
        """All scalars; aggregates and complex numbers where a plain struct travels the same way."""
        return signature.convention == DEFAULT_CONVENTION and None not in map(crossing, signature.types)

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """See `Backend.bind`."""
        binding = self._validated(address, binding)
        return foreign_function(address, binding, invoker(address, binding), self.name)

    def redirect(self, function: Callable[..., Any], address: int | None) -> None:
        """See `Backend.redirect`."""
        if not isinstance(function, ForeignFunction):
            raise TypeError(f"not a function that the {self.name} backend bound: {function!r}")
        function.redirect(address, invoker(address, function.binding) if address else None)

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> CtypesCallback:
        """See `Backend.callback`."""
        return self.callback_maker(upcall)(function)

    def callback_maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], CtypesCallback]:
        """See `Backend.callback_maker`."""
        whole = completed(upcall)
        signature = whole.signature
        if not self.supports(signature):
            raise UnsupportedSignatureError(
                f"the {self.name} backend cannot make a callback of {signature!r}"
            )
        if signature.result.kind in (Kind.AGGREGATE, Kind.COMPLEX):
            raise UnsupportedSignatureError(
                f"ctypes has no callbacks that return a struct, as {signature!r} does"
            )
        return lambda function: CtypesCallback(function, whole)


def invoker(address: int, binding: Binding) -> Invoke:
    """A function of canonical values that calls `address` and returns the natural result (and errno)."""
    signature = binding.signature
    parameters, marshals, variadic_from, expand = split(binding)
    arguments = [crossing(t, m) for t, m in zip(parameters, marshals, strict=True)]
    result = crossing(signature.result, binding.result_marshal)
    if result is None or None in arguments:
        raise UnsupportedSignatureError(f"ctypes cannot call {signature!r}")
    crossings = [c for c in arguments if c is not None]
    fixed = crossings[:variadic_from] if variadic_from is not None else crossings
    prototype = _prototype(
        result.ctype, tuple(c.ctype for c in fixed), binding.release_gil, binding.capture_errno
    )
    call = with_expansion(_with_steps(prototype(address), crossings, variadic_from, result), expand)
    return _with_errno(call) if binding.capture_errno else call


@functools.lru_cache(maxsize=1024)
def _prototype(result: Any, arguments: tuple[Any, ...], release_gil: bool, errno: bool) -> Any:
    """The class of C functions of one type, made as `ctypes.CFUNCTYPE` makes it.

    CFUNCTYPE and PYFUNCTYPE between them cannot hold the GIL *and* swap errno; the flags can.
    """
    flags = FUNCFLAG_CDECL
    flags |= 0 if release_gil else FUNCFLAG_PYTHONAPI
    flags |= FUNCFLAG_USE_ERRNO if errno else 0
    return type("Prototype", (CFuncPtr,), {"_argtypes_": arguments, "_restype_": result, "_flags_": flags})


def _with_steps(inner: Any, crossings: list[Crossing], variadic: int | None, result: Crossing) -> Any:
    """`inner` with the conversions that ctypes does not do itself; unchanged when there are none."""
    steps = [c.to_c for c in crossings]
    if variadic is not None:
        # ctypes calls ffi_prep_cif_var when it sees more arguments than argtypes; those must be ctypes
        # objects.
        steps[variadic:] = [c.to_c or c.ctype for c in crossings[variadic:]]
    return composed(inner, steps, result.from_c)


def _with_errno(call: Any) -> Invoke:
    def invoke(*values: Any) -> tuple[Any, int]:
        ctypes.set_errno(0)
        return call(*values), ctypes.get_errno()

    return invoke
