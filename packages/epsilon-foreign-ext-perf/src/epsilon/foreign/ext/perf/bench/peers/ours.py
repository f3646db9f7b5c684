"""Ourselves: through the api on a chosen backend, and through that backend without the api.

The api and its backends are imported when they are asked for, so that the benchmark can still measure the
others (and say why) where one of them does not work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from ..contestant import Contestant, Gil, Peer, UnavailableError
from ..prototype import Prototype

#: Our word for a type and the name of its ABI type in `epsilon.foreign.backend`.
_ABI_NAMES = {
    "void": "VOID", "double": "DOUBLE", "float": "FLOAT", "int8": "INT8", "int16": "INT16", "int32": "INT32",
    "int64": "INT64", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
    "string": "POINTER", "pointer": "POINTER", "buffer": "POINTER",
}  # fmt: skip
_MARSHALS = {"string": "STRING", "buffer": "BUFFER"}


def require(peer: Peer) -> Any:
    """The backend that `peer` stands for. Raises UnavailableError with the backend's own reason."""
    try:
        from epsilon.foreign import backend
    except ImportError as error:
        raise UnavailableError(f"epsilon.foreign.backend cannot be imported: {error}") from None
    try:
        return backend.get_backend(peer.backend)
    except backend.BackendUnavailableError as error:
        raise UnavailableError(str(error)) from None


Binder = Callable[[Prototype], Callable[..., Any]]


@contextmanager
def binder(path: str | Path | None, contestant: Contestant) -> Iterator[Binder]:
    """A function that binds prototypes from the library at `path` (None: the process) on the contestant's
    backend.

    Within the ``with`` block the library is open and the backend chosen, so that what a call takes is binding
    alone. Raises UnavailableError.
    """
    chosen = require(contestant.peer)
    name = None if path is None else str(path)
    release = contestant.gil is Gil.RELEASED
    if contestant.peer.kind == "layer":
        yield partial(_bind_layer, chosen, chosen.dlopen(name), release)
        return
    try:
        from epsilon.foreign import api
    except ImportError as error:
        raise UnavailableError(f"epsilon.foreign.api cannot be imported: {error}") from None
    with api.use_backend(chosen):
        yield partial(_bind_api, api.Library(name).bind, release)


def bind(
    path: str | Path | None, prototypes: Iterable[Prototype], contestant: Contestant
) -> dict[str, Callable[..., Any]]:
    """A function for every prototype that the contestant's backend supports, by name.

    A signature that the backend does not support is left out: the api would serve it with another backend,
    and its time would be that one's. Raises UnavailableError.
    """
    supports = require(contestant.peer).supports
    with binder(path, contestant) as bind_one:
        return {each.name: bind_one(each) for each in prototypes if supports(signature(each))}


def _bind_api(bind_one: Callable[..., Any], release: bool, prototype: Prototype) -> Callable[..., Any]:
    parameters = [api_type(parameter) for parameter in prototype.parameters]
    function: Callable[..., Any] = bind_one(
        prototype.name, api_type(prototype.result), parameters, release_gil=release
    )
    return function


def api_type(word: str) -> Any:
    """The api's type for one of our words; no type (None) for void."""
    from epsilon.foreign.api import c

    return None if word == "void" else getattr(c, word)


def _bind_layer(chosen: Any, handle: int, release: bool, prototype: Prototype) -> Callable[..., Any]:
    from epsilon.foreign.backend import Binding, Marshal, Parameter

    address = chosen.dlsym(handle, prototype.name)
    binding = Binding(
        signature(prototype),
        name=prototype.name,
        parameters=tuple(Parameter(marshal=Marshal[_marshal(word)]) for word in prototype.parameters),
        result_marshal=Marshal[_marshal(prototype.result)],
        release_gil=release,
    )
    function: Callable[..., Any] = chosen.bind(address, binding)
    return function


def _marshal(word: str) -> str:
    return _MARSHALS.get(word, "VALUE")


def signature(prototype: Prototype) -> Any:
    """The backend's `Signature` of a prototype."""
    from epsilon.foreign.backend import Signature

    return Signature(_abi(prototype.result), [_abi(parameter) for parameter in prototype.parameters])


def _abi(word: str) -> Any:
    from epsilon.foreign import backend

    name = _ABI_NAMES.get(word)
    return getattr(backend, name) if name else backend.C_TYPES[word]


def warm_up(contestant: Contestant) -> int | None:
    """Import the api and the backend, and bind one function, so that a measurement that follows is about
    binding alone. Returns what `code_bytes` returns."""
    if contestant.peer.kind == "peer":
        return None
    require(contestant.peer)
    # Every process has `abs`, whatever else it has loaded.
    bind(None, [Prototype("abs", "int", ("int",))], contestant)["abs"](-1)
    return code_bytes(contestant)


def code_bytes(contestant: Contestant) -> int | None:
    """Bytes of machine code that the backend has generated so far; None for one that generates none."""
    if contestant.peer.backend != "trampoline":
        return None
    require(contestant.peer)
    # By name: what shows a backend's insides is public there, but no part of the layer's interface.
    tools = import_module("epsilon.foreign.backend.trampoline")
    return int(tools.statistics().code_bytes)
