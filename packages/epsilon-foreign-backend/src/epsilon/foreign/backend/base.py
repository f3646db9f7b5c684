"""What the backends have in common: the loader, the allocator, and `call` as a cached `bind`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import allocator, loader
from .abi import POINTER
from .binding import Binding, validate
from .convert import type_name
from .errors import ForeignError, UnsupportedSignatureError
from .protocol import Accessors, CallbackHandle
from .signature import Signature
from .upcall import Upcall

#: `call` forgets everything it bound when the cache passes this many functions.
CALL_CACHE = 1024


class BackendBase:
    """Base class for backends; a subclass gives `name`, `capabilities`, `supports`, `bind`, `redirect`,
    `callback`.
    """

    name = "base"
    capabilities: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._calls: dict[tuple[int, Signature], Callable[..., Any]] = {}

    @property
    def accessors(self) -> Accessors | None:
        """Machine code for access to `Memory` objects; None where there is none."""
        return None

    def supports(self, signature: Signature) -> bool:
        """Can `bind` take this signature?"""
        raise NotImplementedError

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """See `Backend.bind`."""
        raise NotImplementedError

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> CallbackHandle:
        """See `Backend.callback`."""
        raise NotImplementedError

    def callback_maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], CallbackHandle]:
        """See `Backend.callback_maker`."""
        return lambda function: self.callback(function, upcall)

    def dlopen(self, name: str | None, flags: int | None = None) -> int:
        """Open a library; see `loader.dlopen`."""
        return loader.dlopen(name, flags)

    def dlsym(self, handle: int, symbol: str) -> int:
        """The address of a symbol; see `loader.dlsym`."""
        return loader.dlsym(handle, symbol)

    def dlclose(self, handle: int) -> None:
        """Close a library; see `loader.dlclose`."""
        loader.dlclose(handle)

    def alloc(self, size: int, alignment: int = allocator.FUNDAMENTAL) -> int:
        """Zeroed memory; see `allocator.alloc`."""
        return allocator.alloc(size, alignment)

    def free(self, address: int) -> None:
        """Free what `alloc` returned."""
        allocator.free(address)

    def call(self, address: int, signature: Signature, args: Sequence[Any]) -> Any:
        """Bind, with a cache, and call with natural values."""
        key = (address, signature)
        function = self._calls.get(key)
        if function is None:
            if len(self._calls) >= CALL_CACHE:
                self._calls.clear()
            function = self._calls[key] = self.bind(address, signature)
        return function(*args)

    def _validated(self, address: int, binding: Binding | Signature) -> Binding:
        """What every `bind` does first: a whole binding, a signature that can be done, an address that is
        one.
        """
        if isinstance(binding, Signature):
            binding = Binding(binding)
        binding = validate(binding)
        if not isinstance(address, int):
            raise TypeError(f"{binding.name}: the address of a function is an int, not {type_name(address)}")
        if address == 0:
            raise NullFunctionError(f"{binding.name}: the address of the function is NULL")
        if not 0 < address <= POINTER.bounds[1]:
            raise ValueError(f"{binding.name}: {address} is no address")
        if not self.supports(binding.signature):
            raise UnsupportedSignatureError(f"the {self.name} backend cannot call {binding.signature!r}")
        return binding

    def __repr__(self) -> str:
        return f"<{self.name} backend>"


class NullFunctionError(ForeignError, ValueError):
    """A function was to be bound at address 0."""
