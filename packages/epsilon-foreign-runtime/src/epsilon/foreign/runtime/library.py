"""Shared libraries: open, resolve with a cache, bind, close."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from epsilon.foreign.backend import (
    DEFAULT_CONVENTION,
    Backend,
    ClosedLibraryError,
    ProcessLock,
    RemoteMemoryError,
    Signature,
    expected,
    remote_memory,
    remotes,
    select_backend,
    use_backend,
)

from .checks import Check
from .errors import DeclarationError, SymbolNotFoundError
from .function import Declaration, bind_declaration, declared, settled
from .search import open_library
from .types import resolve_type

if TYPE_CHECKING:
    from epsilon.foreign.backend import RemoteMemory

    from .objects import MemoryOwner
    from .variable import Variable


class Library:
    """An open library.

    `name` is a path, a file name, a short name (``m``, ``z``, ``sqlite3``), or None for the process itself.
    `flags` are dlopen's (``os.RTLD_GLOBAL`` ...). Raises LibraryError with everything that was tried.

    Dropping the object does not close the library, so its functions stay callable; `close` does, after which
    they raise ClosedLibraryError. As in C, no call may be in flight on another thread while a library is
    closed.
    """

    closed = True
    """True once `close` has been called, or when opening failed."""

    def __init__(
        self, name: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None, *, flags: int | None = None
    ) -> None:
        self._backend: Backend = select_backend()
        self.name = _library_name(name)
        self._handle, self.path = open_library(self.name, self._backend, flags)
        self._resolved: dict[str, int] = {}
        self._functions: dict[int, tuple[weakref.ref[Any], Backend | None]] = {}
        self._lock = ProcessLock()
        self._lifetime: MemoryOwner | None = None
        self.closed = False

    @property
    def handle(self) -> int:
        """The loader's handle. Raises ClosedLibraryError."""
        if self.closed:
            raise ClosedLibraryError(f"library {self._label()} is closed")
        return self._handle

    @property
    def remote(self) -> RemoteMemory | None:
        """The memory of the process that it was opened in, None for this one: its handle and addresses are of there."""
        return getattr(self._backend, "remote", None)

    def symbol(self, name: str) -> int:
        """The address of a function or variable, from the cache after the first time.

        Raises SymbolNotFoundError, ClosedLibraryError.
        """
        if not isinstance(name, str):
            raise expected("a symbol's name (str)", name)
        address = self._resolved.get(name)
        if address is None:
            with self._lock:  # so that no other thread closes it meanwhile
                handle = self.handle
                try:
                    address = self._resolved[name] = self._backend.dlsym(handle, name)
                except LookupError as error:
                    raise SymbolNotFoundError(
                        f"library {self._label()} has no symbol {name!r}: {error}"
                    ) from None
        return address

    def __contains__(self, name: object) -> bool:
        """Does the library export a symbol of that name?"""
        try:
            self.symbol(name if isinstance(name, str) else "")
        except SymbolNotFoundError:
            return False
        return isinstance(name, str)

    def bind(
        self,
        name: str,
        result: Any,
        parameters: Sequence[Any] = (),
        *,
        names: Sequence[str] | None = None,
        variadic: bool = False,
        check: Check | None = None,
        release_gil: bool = True,
        convention: str = DEFAULT_CONVENTION,
        doc: str | None = None,
    ) -> Callable[..., Any]:
        """A callable for the C function `name`.

        `result` and `parameters` are C types, None for a void result; `names` lets arguments be given by
        keyword. `variadic` functions take extra arguments, see `VariadicFunction`. `check` sees the result
        and errno, see `checks`. `release_gil=False` suits short functions that call back into nothing.

        Raises SymbolNotFoundError, DeclarationError, UnsupportedSignatureError, ClosedLibraryError.
        """
        return self.bind_declaration(
            name,
            Declaration(
                name,
                resolve_type(result),
                declared([resolve_type(p) for p in parameters], names),
                variadic,
                check,
                release_gil,
                convention,
                doc,
            ),
        )

    def bind_declaration(self, symbol: str, declaration: Declaration) -> Callable[..., Any]:
        """As `bind`, for a whole declaration, whose name may differ from the symbol's.

        Functions in another process are bound by the backend that the library was opened by, whatever is in use.
        Raises RemoteMemoryError when the backend in use calls in another process, and the library is not open there.
        """
        if not remotes:
            return self._bind(symbol, declaration, _select)
        if self.remote is not None:
            with use_backend(self._backend) as own:
                return self._bind(symbol, declaration, lambda signature: own)
        if remote_memory() is not None:
            raise RemoteMemoryError(
                f"{symbol}() of library {self._label()} cannot be bound: the library was opened in this process, and "
                f"{select_backend()!r} calls in another; open it while that backend is in use"
            )
        return self._bind(symbol, declaration, _select)

    def _bind(
        self, symbol: str, declaration: Declaration, choose: Callable[[Signature], Backend]
    ) -> Callable[..., Any]:
        address = self.symbol(symbol)
        declaration = settled(declaration, self)
        if declaration.variadic:
            from .variadic import VariadicFunction

            function: Callable[..., Any] = VariadicFunction(address, declaration, choose)
            self._remember(function, None)
        else:
            function, backend = bind_declaration(address, declaration)
            self._remember(function, backend)
        return function

    def variable(self, name: str, type: Any) -> Variable:
        """The exported variable `name` of a C type; ``Const[T]`` for one that cannot be written.

        Raises SymbolNotFoundError, DeclarationError.
        """
        from .const import Const
        from .variable import Variable

        row = resolve_type(type)
        if row.size == 0 or not row.complete:
            raise DeclarationError(f"variable {name} cannot be {row.name}, which has no size")
        return Variable(self, name, self.symbol(name), row, isinstance(type, Const))

    @property
    def lifetime(self) -> MemoryOwner:
        """What the memory of its variables looks at; it ends with `close`."""
        from .objects import MemoryOwner

        with self._lock:
            if self._lifetime is None:
                self._lifetime = MemoryOwner("its library was closed")
                if self.closed:
                    self._lifetime._finish()
            return self._lifetime

    def close(self) -> None:
        """Close the library and redirect its functions, which raise from now on.

        Closing twice does nothing. Raises BufferError while the memory of a variable is exported.
        """
        with self._lock:
            if self.closed:
                return
            if self._lifetime is not None:
                self._lifetime._finish()  # raises while a variable's memory is exported
            self.closed = True
            self._resolved.clear()
            bound = list(self._functions.values())
            self._functions.clear()
        for reference, backend in bound:
            function = reference()
            if function is not None:
                _disconnect(function, backend)
        self._backend.dlclose(self._handle)

    def _remember(self, function: Callable[..., Any], backend: Backend | None) -> None:
        """Note a function that `close` must redirect, for as long as it lives."""
        key = id(function)
        functions = self._functions  # not self: the function must not keep the library object alive
        reference = weakref.ref(function, lambda _: functions.pop(key, None))
        with self._lock:
            if not self.closed:
                functions[key] = (reference, backend)
                return
        _disconnect(function, backend)  # closed by another thread since its symbol was resolved

    def _label(self) -> str:
        return "of the process" if self.name is None else repr(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"handle {self._handle:#x}"
        return f"<library {self._label()} {state}>"

    def __reduce__(self) -> Any:
        raise TypeError(f"cannot pickle library {self._label()}: open it in the other process")


def _disconnect(function: Any, backend: Backend | None) -> None:
    """Let a function raise ClosedLibraryError from now on."""
    if backend is None:
        function.redirect(None)
    else:
        backend.redirect(getattr(function, "__wrapped__", function), None)


def _library_name(name: Any) -> str | None:
    if name is None:
        return None
    try:
        return os.fsdecode(name)
    except TypeError:
        raise expected("a library's name or path, or None for the process", name) from None


def _select(signature: Signature) -> Backend:
    return select_backend(signature)


_shared: dict[tuple[str | None, Any], Library] = {}
_shared_lock = ProcessLock()


def shared_library(name: str | os.PathLike[str] | None) -> Library:
    """The process's one `Library` of that name, opened on first use and again after someone closed it; another one
    for a backend in use that calls in another process."""
    key = (_library_name(name), select_backend() if remotes and remote_memory() is not None else None)
    library = _shared.get(key)
    if library is None or library.closed:
        with _shared_lock:
            library = _shared.get(key)
            if library is None or library.closed:
                library = _shared[key] = Library(key[0])
    return library
