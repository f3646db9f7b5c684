"""Ourselves: through the api on a chosen backend, and through that backend without the api.

The api and its backends are imported when they are asked for, so that the benchmark can still measure the
others (and say why) where one of them does not work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def bind(
    path: str | Path | None, prototypes: Iterable[Prototype], contestant: Contestant
) -> dict[str, Callable[..., Any]]:
    """A function for every prototype that the contestant's backend supports, by name. A path of None is the
    process.

    A signature that the backend does not support is left out: the api would serve it with another backend,
    and its time would be that one's. Raises UnavailableError.
    """
    peer = contestant.peer
    backend = require(peer)
    release = contestant.gil is Gil.RELEASED
    name = None if path is None else str(path)
    supported = [each for each in prototypes if backend.supports(signature(each))]
    if peer.kind == "layer":
        return {each.name: _bind_layer(backend, name, each, release) for each in supported}
    return _bind_api(peer, name, supported, release)


def _bind_api(
    peer: Peer, path: str | None, prototypes: Iterable[Prototype], release: bool
) -> dict[str, Callable[..., Any]]:
    try:
        from epsilon.foreign import api
    except ImportError as error:
        raise UnavailableError(f"epsilon.foreign.api cannot be imported: {error}") from None
    functions: dict[str, Callable[..., Any]] = {}
    with api.use_backend(peer.backend):
        library = api.Library(path)
        for each in prototypes:
            parameters = [api_type(parameter) for parameter in each.parameters]
            functions[each.name] = library.bind(
                each.name, api_type(each.result), parameters, release_gil=release
            )
    return functions


def api_type(word: str) -> Any:
    """The api's type for one of our words; no type (None) for void."""
    from epsilon.foreign.api import c

    return None if word == "void" else getattr(c, word)


def _bind_layer(backend: Any, path: str | None, prototype: Prototype, release: bool) -> Callable[..., Any]:
    from epsilon.foreign.backend import Binding, Marshal, Parameter

    address = backend.dlsym(backend.dlopen(path), prototype.name)
    binding = Binding(
        signature(prototype),
        name=prototype.name,
        parameters=tuple(Parameter(marshal=Marshal[_marshal(word)]) for word in prototype.parameters),
        result_marshal=Marshal[_marshal(prototype.result)],
        release_gil=release,
    )
    function: Callable[..., Any] = backend.bind(address, binding)
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
    """Bytes of machine code that the backend has generated so far; None for a peer that generates none."""
    if contestant.peer.backend != "trampoline":
        return None
    try:
        from epsilon.foreign.backend import trampoline
    except ImportError:
        return None
    statistics = getattr(trampoline, "statistics", None)
    return int(statistics().code_bytes) if statistics is not None else None
