"""C functions of this process, for both sides of an isolated call and for whoever looks after them.

They are bound on a backend that calls in this very process, whatever `use_backend` says, and hold the GIL unless told
otherwise: most are shorter than giving it up and taking it back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from epsilon.foreign.backend import (
    INT32,
    INT64,
    POINTER,
    UINT64,
    AbiType,
    Backend,
    BackendUnavailableError,
    Binding,
    Signature,
    UnsupportedSignatureError,
    get_backend,
)

#: The backends that call in this process, the fastest first.
LOCAL = ("trampoline", "libffi", "ctypes")

INT, LONG, SIZE, WORD = INT32, INT64, UINT64, POINTER


def local_backends() -> Iterator[Backend]:
    """Those of `LOCAL` that work here, each loaded when it is reached: cffi alone is a fifth of a process's start."""
    for name in LOCAL:
        try:
            backend = get_backend(name)
        except BackendUnavailableError:
            continue
        yield backend


def local_backend(signature: Signature) -> Backend:
    """The best backend of this process for a signature. Raises UnsupportedSignatureError."""
    for backend in local_backends():
        if backend.supports(signature):
            return backend
    raise UnsupportedSignatureError(f"no backend can call {signature!r} in the isolated process")


@functools.cache
def c_function(
    name: str, result: AbiType, *parameters: AbiType, release_gil: bool = False, errno: bool = False
) -> Callable[..., Any]:
    """The C library's function `name`; with `errno`, it returns ``(result, errno)``. Raises LookupError."""
    backend = get_backend("ctypes")
    address = backend.dlsym(backend.dlopen(None), name)
    signature = Signature(result, parameters)
    finish = (lambda result, errno: (result, errno)) if errno else None
    binding = Binding(signature, name=name, release_gil=release_gil, capture_errno=errno, finish=finish)
    return local_backend(signature).bind(address, binding)
