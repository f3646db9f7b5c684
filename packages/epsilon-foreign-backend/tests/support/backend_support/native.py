"""The compiled C library, and a short way to bind its functions on a backend."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from epsilon.foreign.backend import VOID, AbiType, Backend, Binding, Parameter, Signature, loader


class Library:
    """Symbols of the C library."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._addresses: dict[str, int] = {}

    def address(self, symbol: str) -> int:
        """Where `symbol` is."""
        found = self._addresses.get(symbol)
        if found is None:
            found = self._addresses[symbol] = loader.dlsym(self.handle, symbol)
        return found


class Native:
    """Binds functions of the library on one backend."""

    def __init__(self, backend: Backend, library: Library) -> None:
        self.backend = backend
        self.library = library
        self.address = library.address

    def needs(self, capability: str) -> None:
        """Skip the test where the backend says that it cannot do `capability` at all."""
        if capability not in self.backend.capabilities:
            pytest.skip(f"the {self.backend.name} backend does not have the capability {capability!r}")

    def __call__(
        self,
        symbol: str,
        result: AbiType = VOID,
        parameters: Sequence[AbiType] = (),
        *details: Parameter,
        variadic_from: int | None = None,
        **more: Any,
    ) -> Callable[..., Any]:
        """Bind `symbol`; `details` are its `Parameter` objects, `more` goes to `Binding`.

        Skips the test where the backend says that it does not support the signature.
        """
        signature = Signature(result, parameters, variadic_from=variadic_from)
        if not self.backend.supports(signature):
            pytest.skip(f"the {self.backend.name} backend does not support {signature!r}")
        more.setdefault("name", symbol)
        return self.backend.bind(self.address(symbol), Binding(signature, parameters=details, **more))


def settled() -> None:
    """Collect garbage, so that what is alive afterwards is referred to by someone."""
    for _ in range(3):
        gc.collect()
