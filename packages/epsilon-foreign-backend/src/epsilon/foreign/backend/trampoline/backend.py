"""`Backend` over generated stubs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..base import BackendBase
from ..binding import Binding
from ..protocol import CallbackHandle
from ..signature import Signature
from ..upcall import Upcall
from .accessors import TrampolineAccessors
from .callbacks import Callbacks
from .conventions import can_travel
from .fallback import Fallback
from .host import host_target
from .memory import CodeHeap
from .record import ForeignFunction, make_function, record_of
from .record import redirect as redirect_record
from .specs import spec_of, table_of
from .stubs import Stubs
from .text_signature import text_signature

#: More parameters than this are refused: their frame would outgrow what one stack probe covers.
MOST_PARAMETERS = 255
#: Aggregates of more bytes than this together are refused: they would lie on the stack.
MOST_BYTES = 128 * 1024


class TrampolineBackend(BackendBase):
    """Calls through one stub of machine code for each signature.

    Everything but `long double` and complex numbers, in both directions; inside an aggregate those are no obstacle,
    unless a register of the x87 would return them.
    """

    name = "trampoline"
    capabilities = frozenset({"scalars", "aggregates", "variadic", "callbacks", "errno", "release_gil"})

    def __init__(self, stubs: Stubs | None = None) -> None:
        super().__init__()
        self.stubs = stubs or Stubs(host_target(), CodeHeap())
        self._accessors: TrampolineAccessors | None = None
        self._callbacks = Callbacks(self.stubs, self.supports)
        self.callback = self._callbacks.make  # type: ignore[method-assign]
        self.callback_maker = self._callbacks.maker  # type: ignore[method-assign]
        # Asked twice for every function that is bound, and often the same.
        self.supports = functools.lru_cache(maxsize=1024)(self.supports)  # type: ignore[method-assign]

    @property
    def accessors(self) -> TrampolineAccessors:
        """Machine code for access to memory."""
        if self._accessors is None:
            self._accessors = TrampolineAccessors(self.stubs)
        return self._accessors

    def supports(self, signature: Signature) -> bool:
        """Any scalars but `long double` and complex, and aggregates, in every convention the processor has."""
        convention = self.stubs.target.conventions.get(signature.convention)
        if convention is None or len(signature.parameters) > MOST_PARAMETERS or signature.needs_libffi:
            return False
        return signature.is_simple or (
            can_travel(convention, signature)
            and sum(t.size + t.alignment for t in signature.types) <= MOST_BYTES
        )

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """See `Backend.bind`. The result is a built-in function; its ``__self__`` is a `ForeignFunction`."""
        binding = self._validated(address, binding)
        fallback = Fallback(self.stubs)
        record = ForeignFunction(
            binding, address, fallback, finish=binding.finish, backend=self.name, table=table_of(binding)
        )
        fallback.serve(record)
        stub = self.stubs.known(spec_of(binding)) or self.stubs.fallback
        function: Callable[..., Any] = make_function(
            record, stub, binding.name, binding.doc, text_signature(binding), binding.module
        )
        return function

    def redirect(self, function: Callable[..., Any], address: int | None) -> None:
        """See `Backend.redirect`."""
        redirect_record(function, address, self.stubs.fallback)
        if address is not None:
            record_of(function).fallback.redirect(address)

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> CallbackHandle:
        """See `Backend.callback`. Instances have `Callbacks.make` itself in its place: this is a hot path."""
        return self._callbacks.make(function, upcall)
