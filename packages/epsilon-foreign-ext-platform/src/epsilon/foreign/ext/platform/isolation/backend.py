"""`Backend` whose functions run in a child process, so that what kills them does not kill Python."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.backend import (
    Accessors,
    BackendBase,
    Binding,
    ForeignFunction,
    Signature,
    Upcall,
    foreign_function,
    remotes,
)

from .childmemory import ChildMemory, Lazy
from .functions import Functions
from .libraries import Libraries
from .machine import local_backends
from .profile import Profile
from .session import Life, Session
from .upcalls import IsolatedCallback, Upcalls

#: Bytes of addresses that shared memory takes by default; only what is used takes memory.
RESERVE = 1 << 36


class IsolatedBackend(ChildMemory, BackendBase):
    """Calls in a child process: see `isolated`. Also the `RemoteMemory` of that process."""

    name = "isolated"

    def __init__(
        self,
        *,
        timeout: float | None = None,
        memory_limit: int | None = None,
        profile: Profile | None = None,
        descriptors: Sequence[int] = (1, 2),
        reserve: int = RESERVE,
        traced: bool = True,
    ) -> None:
        super().__init__()
        me = weakref.ref(self)  # what belongs to it must not keep it alive
        upcalls = self._upcalls = Upcalls(me)
        self._libraries = Libraries()

        def begin(life: Life) -> None:
            backend = me()
            if backend is not None:
                backend._begin(life)

        self._lazy = Lazy(
            lambda: Session(
                timeout=timeout,
                memory_limit=memory_limit,
                profile=profile,
                descriptors=tuple(descriptors),
                reserve=reserve,
                traced=traced,
                upcall=upcalls.answer,
                begin=begin,
            )
        )
        self._functions: Functions | None = None
        self.capabilities = frozenset().union(*(backend.capabilities for backend in local_backends()))
        memory = weakref.proxy(self)
        remotes.append(memory)
        #: Ends the child. Its functions raise LifetimeError from then on; memory in use stays until it is freed.
        self.close: Callable[[], Any] = weakref.finalize(self, _close, self._lazy, memory)

    @property
    def _session(self) -> Session:
        """Made when it is first needed. Raises BackendUnavailableError, LifetimeError."""
        session = self._lazy.get()
        if self._upcalls.session is None:
            self._upcalls.session = session
        return session

    @property
    def accessors(self) -> Accessors | None:
        """Machine code for access to memory: shared memory is memory of this process too."""
        return next((found for backend in local_backends() if (found := backend.accessors)), None)

    @property
    def remote(self) -> IsolatedBackend:
        """The memory that its functions use."""
        return self

    def supports(self, signature: Signature) -> bool:
        """Whatever a backend of the child can do."""
        return any(backend.supports(signature) for backend in local_backends())

    @property
    def process(self) -> int | None:
        """The process id of the child; None while there is none."""
        life = self._lazy.session and self._lazy.session.life
        return life.process if life else None

    def dlopen(self, name: str | None, flags: int | None = None) -> int:
        """Open a library in the child, and in every later one. Raises OSError, ForeignCrash."""
        session = self._session
        with session.lock:
            return self._libraries.open(session, self._ready(), name, flags)

    def dlsym(self, handle: int, symbol: str) -> int:
        """The address of a symbol in the child. Raises LookupError, ForeignCrash."""
        session = self._session
        with session.lock:
            return self._libraries.find(session, self._ready(), handle, symbol)

    def dlclose(self, handle: int) -> None:
        """Close a library in the child. Raises OSError."""
        session = self._lazy.session
        if session is None or session.closed:
            return  # the child is gone, and the library with it
        with session.lock:
            self._libraries.close(session, session.life, handle)

    def _begin(self, life: Life) -> None:
        """Bring a fresh child to where the last one was."""
        self._upcalls.begin()
        self._libraries.begin(self._session, life)

    def _ready(self) -> Life:
        life = self._session.ready()
        self._upcalls.tell(life)
        return life

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """See `Backend.bind`. Raises NotAFunctionError for the address of data, ForeignCrash."""
        whole = self._validated(address, binding)
        functions = self._maker()
        return foreign_function(
            address, functions.traced(whole), functions.invoker(address, whole), self.name
        )

    def redirect(self, function: Callable[..., Any], address: int | None) -> None:
        """See `Backend.redirect`."""
        if not isinstance(function, ForeignFunction):
            raise TypeError(f"not a function that the {self.name} backend bound: {function!r}")
        function.redirect(address, self._maker().invoker(address, function.binding) if address else None)

    def _maker(self) -> Functions:
        if self._functions is None:
            # Functions keep their backend alive, so it may be kept by what makes them.
            self._functions = Functions(weakref.ref(self), self._session, self._upcalls, self._libraries)
        return self._functions

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> IsolatedCallback:
        """See `Backend.callback`. Its address stays the same from one child to the next."""
        return self.callback_maker(upcall)(function)

    def callback_maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], IsolatedCallback]:
        """See `Backend.callback_maker`."""
        self._upcalls.session = self._session
        return self._upcalls.maker(upcall)

    def restart(self) -> None:
        """End the child; the next call gets a fresh one. Raises ForeignBusyError during a call."""
        if self._lazy.session is not None:
            self._lazy.session.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._lazy.closed else f"process {self.process or 'not started'}"
        return f"<{self.name} backend, {state}>"


def _close(lazy: Lazy, memory: Any) -> None:
    """When a backend is closed or dropped, or the interpreter ends."""
    remotes[:] = [each for each in remotes if each is not memory]
    lazy.closed = True
    if lazy.session is not None:
        lazy.session.close()
