"""Which backends there are, and which one serves.

A backend is registered by name with a factory; the factory runs when the backend is first used, so that
registering costs nothing and cffi is imported only by whoever uses it. Other distributions add theirs through
the entry point group ``epsilon_foreign.backends``
(https://packaging.python.org/en/latest/specifications/entry-points/): ``name = "module:factory"``, where
``factory()`` returns a `Backend` or raises `BackendUnavailableError`.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module

from .errors import BackendUnavailableError, UnknownBackendError, UnsupportedSignatureError
from .protocol import Backend
from .signature import Signature

ENTRY_POINTS = "epsilon_foreign.backends"
ENVIRONMENT = "EPSILON_FOREIGN_BACKEND"

Factory = Callable[[], Backend]


def _lazily(module: str) -> Factory:
    def create() -> Backend:
        backend: Backend = import_module(module, __package__).create()
        return backend

    return create


#: The order of preference for a signature that several can do: the stub, full C, what is always there.
_factories: dict[str, Factory] = {
    "trampoline": _lazily(".trampoline"),
    "libffi": _lazily(".libffi_backend"),
    "ctypes": _lazily(".ctypes_backend"),
}
_BUILT_IN = tuple(_factories)
_created: dict[str, Backend | BackendUnavailableError] = {}
_lock = threading.RLock()
_discovered = False
_preferred: ContextVar[Backend | None] = ContextVar("epsilon_foreign_backend", default=None)
#: What `use_backend` prefers at the moment, or None. As it is, because it is asked for every callback.
preferred_backend: Callable[[], Backend | None] = _preferred.get


def register_backend(name: str, factory: Factory, *, replace: bool = False) -> None:
    """Add a backend under `name`; `factory` is called once, on first use.

    Registered backends come after the built-in ones in the order of preference. Raises ValueError when the
    name is taken and `replace` is false.
    """
    with _lock:
        if name in _factories and not replace:
            raise ValueError(f"a backend named {name!r} is registered already")
        _factories[name] = factory
        _created.pop(name, None)


def unregister_backend(name: str) -> None:
    """Remove a backend that `register_backend` added. Functions bound through it go on working.

    Raises UnknownBackendError, and ValueError for a built-in backend.
    """
    with _lock:
        if name in _BUILT_IN:
            raise ValueError(f"{name!r} is built in")
        if name not in _factories:
            raise UnknownBackendError(_unknown(name))
        del _factories[name]
        _created.pop(name, None)


def backend_names() -> list[str]:
    """Every registered name in order of preference, whether or not it can work here."""
    _discover()
    return list(_factories)


def get_backend(name: str) -> Backend:
    """The backend of that name.

    Raises UnknownBackendError, which lists the names there are, or BackendUnavailableError with the reason.
    """
    if name not in _factories:
        _discover()
    made = _created.get(name)
    if made is None:
        with _lock:
            made = _created.get(name) or _create(name)
    if isinstance(made, BackendUnavailableError):
        raise BackendUnavailableError(*made.args)
    return made


def available_backends() -> list[str]:
    """The names of the backends that work in this process, in order of preference."""
    return [name for name in backend_names() if unavailable_reason(name) is None]


def unavailable_reason(name: str) -> str | None:
    """Why a registered backend cannot work here, or None when it can."""
    try:
        get_backend(name)
    except BackendUnavailableError as error:
        return str(error)
    return None


def select_backend(signature: Signature | None = None) -> Backend:
    """The backend that serves `signature`: the one chosen by `use_backend` or EPSILON_FOREIGN_BACKEND where
    it can, else the first in the order of preference that can.

    None asks for the backend of things that have no signature, such as opening a library. Raises
    UnsupportedSignatureError naming the signature and the backends asked, and UnknownBackendError when the
    environment variable names no backend; one that it names but that cannot work here is passed over with a
    RuntimeWarning.
    """
    chosen = _preferred.get() or _from_environment()
    if chosen is not None and (signature is None or chosen.supports(signature)):
        return chosen
    asked = []
    for name in backend_names():
        try:
            backend = get_backend(name)
        except BackendUnavailableError:
            continue
        if signature is None or backend.supports(signature):
            return backend
        asked.append(name)
    raise UnsupportedSignatureError(f"no backend can call {signature!r}; asked: {', '.join(asked)}")


@contextmanager
def use_backend(backend: str | Backend) -> Iterator[Backend]:
    """Prefer a backend, by name or as an object, within a ``with`` block.

    The choice is a context variable: it follows the asyncio task and does not leak into other threads. Raises
    as `get_backend` does.
    """
    chosen = get_backend(backend) if isinstance(backend, str) else backend
    token = _preferred.set(chosen)
    try:
        yield chosen
    finally:
        _preferred.reset(token)


def _from_environment() -> Backend | None:
    name = os.environ.get(ENVIRONMENT)
    if not name:
        return None
    try:
        return get_backend(name)
    except BackendUnavailableError as error:
        # The variable is a preference: the program runs on, and its user is told (once, by the warning
        # filter).
        warnings.warn(f"{ENVIRONMENT}={name}: {error}; using another backend", RuntimeWarning, stacklevel=3)
        return None


def _create(name: str) -> Backend | BackendUnavailableError:
    factory = _factories.get(name)
    if factory is None:
        raise UnknownBackendError(_unknown(name))
    made: Backend | BackendUnavailableError
    try:
        made = factory()
    except BackendUnavailableError as error:
        made = error.with_traceback(None)
    except ImportError as error:
        made = BackendUnavailableError(f"the {name} backend cannot be imported: {error}")
    except Exception as error:
        # One broken backend must not take the others down with it; whoever asks for it by name is told.
        made = BackendUnavailableError(f"the {name} backend does not start: {type(error).__name__}: {error}")
    _created[name] = made
    return made


def _unknown(name: str) -> str:
    return f"unknown backend {name!r}; registered: {', '.join(_factories)}"


def _discover() -> None:
    """Read the entry points, once, and only when a name is asked for that is not built in or a list is
    wanted.
    """
    global _discovered
    if _discovered:
        return
    with _lock:
        if _discovered:
            return
        from importlib.metadata import entry_points

        for point in entry_points(group=ENTRY_POINTS):
            if point.name not in _factories:
                _factories[point.name] = _from_entry_point(point.load)
        _discovered = True


def _from_entry_point(load: Callable[[], Factory]) -> Factory:
    return lambda: load()()
