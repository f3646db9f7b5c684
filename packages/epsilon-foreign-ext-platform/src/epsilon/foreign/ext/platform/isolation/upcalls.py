"""Callbacks of an isolated backend: Python functions of the parent that C in the child calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import (
    Address,
    Backend,
    DeadCallbackError,
    Kind,
    Marshal,
    Memory,
    Pointee,
    RemoteMemory,
    RemoteMemoryError,
    Signature,
    UnsupportedSignatureError,
    Upcall,
    UpcallParameter,
    completed,
    misfit,
    report,
    returner,
    use_backend,
    window,
)

from . import thunks
from .channel import Kind as Message
from .channel import ProtocolError
from .codec import Codec, codec
from .keeper import CODE
from .lending import Loans, lent
from .machine import local_backends
from .session import Conversation, Life, Session
from .worker import UPCALL, CallbackDefinition

#: A released callback's place is used again after so many others have been released.
QUARANTINE = 64
_SLOTS = CODE - thunks.COUNT * thunks.SLOT


class IsolatedCallback:
    """C-callable code in the child. The address stays the same from one child to the next."""

    def __init__(self, upcalls: Upcalls, number: int, kept: tuple[Any, ...]) -> None:
        self._upcalls: Upcalls | None = upcalls
        self._number = number
        self._kept = kept
        self.address: int = upcalls.address(number)

    def release(self) -> None:
        """Let the code report every further call. The second time it does nothing."""
        upcalls, self._upcalls = self._upcalls, None
        if upcalls is not None:
            self.address = 0
            upcalls.release(self._number)

    def __del__(self) -> None:
        self.release()


class _Served:
    """What the parent does when C calls one callback."""

    def __init__(self, function: Callable[..., Any], maker: Maker) -> None:
        self.function: Callable[..., Any] | None = function
        self.maker = maker
        self.name = maker.upcall.name or getattr(function, "__name__", None) or type(function).__name__
        #: What its last pointer result points to: C may use it until the next call.
        self.loans: Loans | None = None


class Maker:
    """What callbacks of one type share."""

    def __init__(self, upcall: Upcall) -> None:
        self.upcall = upcall
        signature = upcall.signature
        self.marshals = tuple(parameter.marshal for parameter in upcall.parameters)
        self.arguments: Codec = codec(signature.parameters, self.marshals)
        self.result: Codec = codec((signature.result,), (Marshal.VALUE,))
        self.convert = returner(upcall)
        self.void = signature.result.kind is Kind.VOID
        self.steps = [
            _step(type.kind, parameter)
            for type, parameter in zip(signature.parameters, upcall.parameters, strict=True)
        ]
        #: What a callback's place in the child is good for.
        self.key = (signature, self.marshals, repr(upcall.error))
        self.free: deque[int] = deque()

    def define(self, number: int) -> CallbackDefinition:
        """What a child is told of a callback of this type."""
        return CallbackDefinition(number, 0, self.upcall.signature, self.marshals, self.upcall.error)


def _step(kind: Kind, parameter: UpcallParameter) -> Callable[[Any], Any]:
    """A natural value out of what came through the channel; `receive` comes later."""
    if parameter.marshal is Marshal.STRING:
        return lambda value: None if value is None else value.decode()
    if kind is Kind.POINTER and parameter.marshal is not Marshal.BYTES:
        return lambda value: value or None
    return lambda value: value


class Upcalls:
    """All callbacks of one isolated backend."""

    def __init__(self, backend: Callable[[], Backend | None]) -> None:
        self._backend = backend
        self._served: dict[int, _Served] = {}
        self._makers: dict[Any, Maker] = {}
        self._count = 0
        self._released: deque[int] = deque()
        #: Those that the next child, or this one, has not been told of yet.
        self.undefined: set[int] = set()
        self.session: Session | None = None

    def address(self, number: int) -> int:
        """Where C finds a callback."""
        assert self.session is not None
        return self.session.region.address + CODE + number * thunks.THUNK

    def maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], IsolatedCallback]:
        """See `Backend.callback_maker`."""
        whole = completed(upcall)
        if not thunks.supported():
            raise UnsupportedSignatureError("isolated callbacks are not supported on this processor")
        _check(whole)
        maker = Maker(whole)
        shared = self._makers.setdefault(maker.key, maker)
        maker.free = shared.free
        return lambda function: self._make(function, maker)

    def _make(self, function: Callable[..., Any], maker: Maker) -> IsolatedCallback:
        number = self._place(maker)
        self._served[number] = _Served(function, maker)
        return IsolatedCallback(self, number, ())

    def _place(self, maker: Maker) -> int:
        """A place that was released long enough ago, where the child has a callback of the type already; or a new
        one."""
        assert self.session is not None
        with self.session.lock:
            if len(maker.free) > QUARANTINE or (maker.free and self._count >= thunks.COUNT):
                return maker.free.popleft()
            if self._count >= thunks.COUNT:
                raise UnsupportedSignatureError(f"{thunks.COUNT} isolated callbacks exist already")
            number = self._count
            self._count += 1
            self.undefined.add(number)
            return number

    def release(self, number: int) -> None:
        """The end of a callback."""
        served = self._served.get(number)
        if served is not None:
            served.function = None
            served.maker.free.append(number)

    def begin(self) -> None:
        """A new child knows of none."""
        self.undefined = set(self._served)

    def tell(self, life: Life) -> None:
        """Tell a child of every callback that it does not know."""
        session = self.session
        assert session is not None
        while self.undefined:
            number = self.undefined.pop()
            served = self._served.get(number)
            if served is None:
                continue
            slot = session.region.address + _SLOTS + number * thunks.SLOT
            definition = served.maker.define(number)._replace(slot=slot)
            try:
                session.ask(life, Message.CALLBACK, definition, served.name)
            except BaseException:
                self.undefined.add(number)
                raise

    def answer(self, conversation: Conversation, content: bytes) -> tuple[Message, bytes]:
        """Run what C has called; an exception is kept for the call that it happened in."""
        number, alone = UPCALL.unpack_from(content)
        served = self._served.get(number)
        if served is None:
            raise ProtocolError(f"a call of callback {number}, which there is not")
        values = served.maker.arguments.decode(content, UPCALL.size)
        try:
            if served.function is None:
                raise DeadCallbackError(f"C called callback {served.name} after it was released")
            with use_backend(self._owner()):
                return Message.RETURN, self._run(served, served.function, values)
        except BaseException as error:
            if not alone and not isinstance(error, DeadCallbackError):
                conversation.kept = error
                return Message.FAIL, b""
            _report(error, served)
            maker = served.maker
            return Message.RETURN, b"" if maker.void else maker.result.encode((maker.upcall.error,))

    def _run(self, served: _Served, function: Callable[..., Any], values: tuple[Any, ...]) -> bytes:
        assert self.session is not None
        maker = served.maker
        copies: list[tuple[int, int, bytes, int]] = []
        try:
            given = []
            for value, step, parameter in zip(values, maker.steps, maker.upcall.parameters, strict=True):
                natural = step(value)
                given.append(self._received(natural, parameter, copies))
            answer = function(*given)
            try:
                canonical = maker.convert(answer)
            except Exception as error:
                raise misfit(error, served.name)  # noqa: B904 - it says so itself
            if maker.void:
                return b""
            return maker.result.encode((self._returned(served, answer, canonical),))
        finally:
            for address, copy, before, size in copies:
                after = window.read_bytes(copy, size)
                if after != before:
                    self._memory().write(address, after)
                self.session.heap.free(copy)

    def _received(
        self, natural: Any, parameter: UpcallParameter, copies: list[tuple[int, int, bytes, int]]
    ) -> Any:
        """A value from C, as the function is given it. What a pointer points to in the child's own memory is copied
        for as long as the function runs."""
        assert self.session is not None
        receive, made = parameter.receive, parameter.make
        size = made.size if isinstance(made, Pointee) else 0
        if not size or not natural or self.session.region.holds(natural, size):
            return natural if receive is None else receive(natural)
        try:
            content = self._memory().read(natural, size)
        except RemoteMemoryError:
            received = natural if receive is None else receive(natural)
            if isinstance(received, Memory):
                received._lower = received._upper = 0  # nothing of it can be read
            return received
        copy = self.session.heap.alloc(size, 64)
        copies.append((natural, copy, content, size))
        window.write_bytes(copy, content)
        return copy if receive is None else receive(copy)

    def _owner(self) -> Backend:
        found = self._backend()
        assert found is not None  # whoever calls has it
        return found

    def _memory(self) -> RemoteMemory:
        memory: RemoteMemory = self._owner().remote  # type: ignore[attr-defined]  # what is special about it
        return memory

    def _returned(self, served: _Served, answer: Any, canonical: Any) -> Any:
        """A canonical result as the child needs it."""
        if served.maker.upcall.signature.result.kind is not Kind.POINTER:
            return canonical
        assert self.session is not None
        if served.loans is not None:
            served.loans.settle(back=False)
            served.loans = None
        canonical = lent(answer, canonical or 0)
        if isinstance(canonical, Address):
            served.loans = Loans(self.session.region, self.session.heap)
            return served.loans.address(canonical)
        return canonical


def _check(upcall: Upcall) -> None:
    """Raise UnsupportedSignatureError when no child could make such a callback."""
    plain = Upcall(upcall.signature)
    refused = UnsupportedSignatureError(f"no backend can make a callback of {upcall.signature!r}")
    for backend in local_backends():
        try:
            backend.callback_maker(plain)
            return
        except UnsupportedSignatureError as error:
            refused = error
    raise refused


def _report(error: BaseException, served: _Served) -> None:
    """For an exception that no foreign call is there to raise: see `Upcall.onerror`."""
    onerror = served.maker.upcall.onerror
    try:
        if onerror is not None and not isinstance(error, DeadCallbackError):
            onerror(error)
            return
    except BaseException as second:
        second.__context__ = error
        error = second
    report(error, f"Exception ignored in callback {served.name}", served.function)
