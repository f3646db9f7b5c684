"""What a stub hands a call to when it cannot do it alone: the semantics that all backends share."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..abi import Kind
from ..aggregates import exact_bytes
from ..arguments import Prepare, preparer
from ..function import closed_error
from ..signature import Signature
from .record import ForeignFunction, callable_of, link, make_function
from .specs import spec_of

if TYPE_CHECKING:
    from .stubs import Stubs


class Fallback:
    """Called with the arguments of the foreign function; one for each function.

    The first call of a function ends here too: stubs are generated when a function is first called, so that
    binding a thousand functions costs no code.
    """

    __slots__ = ("_prepare", "_raw", "_record", "_stubs")

    def __init__(self, stubs: Stubs) -> None:
        self._stubs = stubs
        # Weak, for the record owns this object; whoever calls the function keeps the record alive.
        self._record: weakref.ref[ForeignFunction] | None = None
        self._prepare: Prepare | None = None
        self._raw: Callable[..., Any] | None = None

    def serve(self, record: ForeignFunction) -> None:
        """Tell the fallback which function it serves."""
        self._record = weakref.ref(record)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        record = None if self._record is None else self._record()
        assert record is not None, "a fallback outlived its function"
        if record.closed:
            raise closed_error(record.binding.name)
        if self._prepare is None:
            if record.stub == self._stubs.fallback and self._link(record):
                return callable_of(record)(*args, **kwargs)
            self._prepare = _exact(preparer(record.binding), record.binding.signature)
        values = self._prepare(args, kwargs)
        if record.closed:  # meanwhile, by a converter or another thread
            raise closed_error(record.binding.name)
        raw = self._raw or self._make_raw(record)
        return raw(*values)

    def redirect(self, address: int) -> None:
        """Let the slow way call `address` too."""
        raw = self._raw
        if raw is not None:
            raw.__self__._target = address  # type: ignore[attr-defined]  # the record behind a built-in function

    def _link(self, record: ForeignFunction) -> bool:
        """Put the function's own stub in the place of the one that led here; False when that is the same."""
        stub = self._stubs.get(spec_of(record.binding))
        if stub == self._stubs.fallback:
            return False
        link(record, stub)
        return True

    def _make_raw(self, record: ForeignFunction) -> Callable[..., Any]:
        """The same function behind a stub that takes canonical values."""
        binding = record.binding
        trusted = ForeignFunction(
            binding, record._target, _never, finish=binding.finish, table=getattr(record, "table", None)
        )
        stub = self._stubs.get(spec_of(binding, trusted=True))
        raw: Callable[..., Any] = make_function(trusted, stub, binding.name, None, None, None)
        self._raw = raw
        # Again, for a redirection that came before there was anything to redirect.
        trusted._target = record._target
        return raw


def _exact(prepare: Prepare, signature: Signature) -> Prepare:
    """`prepare` with bytes of the right size for every aggregate, where the stub is going to read them."""
    aggregates = [(i, type) for i, type in enumerate(signature.parameters) if type.kind is Kind.AGGREGATE]
    if not aggregates:
        return prepare

    def prepare_exactly(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        values = prepare(args, kwargs)
        for index, type in aggregates:
            values[index] = exact_bytes(type, values[index])
        return values

    return prepare_exactly


def _never(*args: Any, **kwargs: Any) -> Any:
    raise SystemError("a trusted stub has no fallback")
