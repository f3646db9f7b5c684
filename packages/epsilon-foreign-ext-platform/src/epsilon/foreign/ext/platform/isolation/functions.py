"""Functions of the child as Python functions: what is done once when one is bound, and then at every call."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Sequence
from typing import Any

from epsilon.foreign.backend import (
    Address,
    ArgumentTypeError,
    Backend,
    Binding,
    Borrowed,
    Converter,
    Kind,
    LifetimeError,
    Marshal,
    Memory,
    Parameter,
    RemoteMemory,
    borrow,
    converter,
    preferred_backend,
    use_backend,
)

from .channel import BOX, HEADER, ProtocolError
from .channel import Kind as Message
from .codec import TEXT, codec
from .lending import LentBytes, Loans, lent
from .libraries import Libraries
from .machine import local_backends
from .session import Conversation, Life, Session
from .upcalls import IsolatedCallback, Upcalls
from .worker import CALL, RESULT, Definition

_numbers = itertools.count(1)
_Post = Callable[[memoryview, Sequence[Any]], tuple[Message | None, bytes]]
_Natural = Callable[[bytes], Any]


class Functions:
    """Makes the functions of one backend."""

    def __init__(
        self, backend: Callable[[], Backend | None], session: Session, upcalls: Upcalls, libraries: Libraries
    ) -> None:
        self._reference = backend
        self._session = session
        self._upcalls = upcalls
        self._libraries = libraries

    def _own(self) -> Backend:
        backend = self._reference()
        assert backend is not None  # whose functions these are, and they keep it alive
        return backend

    def traced(self, binding: Binding) -> Binding:
        """A binding whose arguments still know what they were made of, and whose result is made in terms of the child's
        addresses."""
        return binding._replace(parameters=self._lending(binding), finish=self._finish(binding), make=None)

    def _finish(self, binding: Binding) -> Callable[..., Any] | None:
        """What makes the result: it may look at addresses, which are the child's."""
        finish = binding.finish
        if finish is None or binding.signature.result.kind not in (Kind.POINTER, Kind.AGGREGATE):
            return finish
        session, local, own = self._session, local_backends()[0], self._own()

        def finished(*result: Any) -> Any:
            if isinstance(result[0], Address):  # into memory of this process: see `Loans.returned`
                with use_backend(local):
                    return finish(*result)
            with use_backend(own):
                made = finish(*result)
            if isinstance(made, Memory) and not session.region.holds(made._address):
                _mark(made, Origin(own, session))
            return made

        return finished if binding.signature.result.kind is Kind.POINTER else self._within(finish)

    def _within(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is called with this backend in use."""

        own = self._own()

        def called(*args: Any) -> Any:
            if preferred_backend() is own:
                return function(*args)
            with use_backend(own):
                return function(*args)

        return called

    def _lending(self, binding: Binding) -> tuple[Parameter, ...]:
        """Parameters whose converters say what their values were made of."""
        texts = _texts_as_pointers(binding)
        made = []
        for type, parameter in zip(binding.signature.parameters, binding.parameters, strict=True):
            convert = parameter.convert or converter(type, parameter.marshal)
            traced: Converter | None = None
            if type.kind is Kind.AGGREGATE:
                traced = _of_aggregate(convert)
            elif type.kind is Kind.POINTER and parameter.marshal not in TEXT:
                traced = _of_pointer(self._within(convert))
            elif texts and parameter.marshal in TEXT:
                traced = _of_text(convert)
            made.append(parameter._replace(convert=traced, marshal=Marshal.OBJECT) if traced else parameter)
        return tuple(made)

    def invoker(self, address: int, binding: Binding) -> Callable[..., Any]:
        """A function of canonical values that calls `address` in the child, as a `Binding` says.

        Raises NotAFunctionError, UnsupportedSignatureError, ForeignCrash.
        """
        signature = binding.signature
        texts = _texts_as_pointers(binding)
        marshals = tuple(Marshal.VALUE if texts and m in TEXT else m for m in binding.marshals)
        definition = Definition(
            next(_numbers),
            address,
            binding.name,
            signature,
            marshals,
            binding.result_marshal,
            binding.release_gil,
            binding.capture_errno,
        )
        with self._session.lock:
            life = self._session.ready()
            self._upcalls.tell(life)
            self._define(life, definition)
        lends = any(
            type.kind in (Kind.POINTER, Kind.AGGREGATE) and marshal not in TEXT
            for type, marshal in zip(signature.parameters, marshals, strict=True)
        )
        plain = codec(signature.parameters, marshals).plain
        size = CALL.size + struct.calcsize("=" + codec(signature.parameters, marshals).fields)
        post = _fast(definition) if plain and size < BOX - HEADER.size else _general(definition)
        natural = _natural(definition)
        if lends or binding.result_marshal not in (*TEXT, Marshal.VALUE):
            return self._lending_invoke(definition, post, natural)
        return self._plain_invoke(definition, post, natural)

    def _define(self, life: Life, definition: Definition) -> None:
        current = definition._replace(address=self._libraries.current(life, definition.address))
        self._session.ask(life, Message.DEFINE, current, definition.name)
        life.functions.add(definition.number)

    def _plain_invoke(self, definition: Definition, post: _Post, natural: _Natural) -> Callable[..., Any]:
        """A call whose arguments are numbers and texts."""
        session, upcalls, number, name = self._session, self._upcalls, definition.number, definition.name
        own = self._own()
        lock, ready, converse = session.lock, session.ready, session.converse
        box, timeout = session.channel.outbox, session.timeout

        void = definition.signature.result.kind is Kind.VOID

        def invoke(*values: Any) -> Any:
            with lock:
                if void and session.defer(lambda: invoke(*values)):
                    return None  # a finalizer gives memory back: that can wait
                life = ready()
                if upcalls.undefined:
                    upcalls.tell(life)
                if number not in life.functions:
                    self._define(life, definition)
                kind, content = post(box, values)
                content = converse(Conversation(life, name, timeout), kind, content)
                if session.deferred:
                    session.catch_up()
            try:
                return natural(content)
            except (ProtocolError, struct.error) as error:
                raise session.damaged(life, name, error) from None

        invoke.backend = own  # type: ignore[attr-defined]  # a function keeps its backend alive
        return invoke

    def _lending_invoke(self, definition: Definition, post: _Post, natural: _Natural) -> Callable[..., Any]:
        """A call whose arguments may point to memory that only this process has."""
        plain = self._plain_invoke(definition, post, natural)
        region, heap = self._session.region, self._session.heap
        pointer = definition.signature.result.kind is Kind.POINTER and definition.result_marshal not in TEXT
        errno = definition.capture_errno

        def invoke(*values: Any) -> Any:
            loans = None
            given = list(values)
            returned = False
            try:
                for position, value in enumerate(given):
                    kind = type(value)
                    if kind is int or kind is float:
                        continue
                    if isinstance(value, Address):
                        loans = loans or Loans(region, heap)
                        given[position] = loans.address(value)
                    elif isinstance(value, LentBytes):
                        loans = loans or Loans(region, heap)
                        given[position] = loans.content(value, value.keep)
                life = self._session.life
                if life is not None and life.moved:
                    given = [self._libraries.current(life, v) if type(v) is int else v for v in given]
                result = plain(*given)
                returned = True
                if pointer and loans is not None:
                    result = (loans.returned(result[0]), result[1]) if errno else loans.returned(result)
            finally:
                if loans is not None:
                    loans.settle(back=returned)
            return result

        return invoke


class Origin:
    """Where a pointer is from that points to memory which only a child has: the backend, and which of its children."""

    __slots__ = ("_session", "epoch", "remote")

    def __init__(self, backend: Any, session: Session) -> None:
        self.remote: RemoteMemory = backend
        self._session = session
        self.epoch = session.epoch

    def check(self) -> None:
        """Raise LifetimeError when that child has ended."""
        if self.epoch != self._session.epoch or self._session.life is None:
            raise LifetimeError("it points to memory of an isolated process that has ended")


def _mark(pointer: Any, origin: Origin) -> None:
    """Let a pointer to memory that only the child has know it, and promise nothing."""
    if getattr(pointer, "_owner", pointer) is None:
        pointer._owner = origin
        pointer._lower = pointer._upper = 0


def _fast(definition: Definition) -> _Post:
    """Puts a call of plain values into the outbox at once."""
    fields = codec(definition.signature.parameters, definition.marshals).fields
    packed = struct.Struct("=IQI" + fields)
    pack, call, number = packed.pack_into, int(Message.CALL), definition.number
    size = packed.size - HEADER.size

    def post(box: memoryview, values: Sequence[Any]) -> tuple[Message | None, bytes]:
        pack(box, 0, call, size, number, *values)
        return None, b""

    return post


def _general(definition: Definition) -> _Post:
    """Encodes a call of any values, of any length."""
    encode = codec(definition.signature.parameters, definition.marshals).encode
    number = CALL.pack(definition.number)
    return lambda box, values: (Message.CALL, number + encode(values))


def _natural(definition: Definition) -> _Natural:
    """Makes the natural result, or that and errno, of what came back."""
    kind, marshal = definition.signature.result.kind, definition.result_marshal
    decode = codec((definition.signature.result,), (marshal,)).decode
    size = RESULT.size

    plain = kind not in (Kind.VOID, Kind.COMPLEX, Kind.POINTER)
    unpack = struct.Struct("=i" + codec((definition.signature.result,), (marshal,)).fields).unpack

    def number(content: bytes) -> Any:
        return unpack(content)[1]

    def value(content: bytes) -> Any:
        if kind is Kind.VOID:
            return None
        (found,) = decode(content, size)
        if marshal is Marshal.STRING:
            return None if found is None else found.decode()
        if kind is Kind.POINTER and marshal is not Marshal.BYTES:
            return found or None
        return found

    if not definition.capture_errno:
        return number if plain else value
    return lambda content: (value(content), RESULT.unpack_from(content)[0])


def _texts_as_pointers(binding: Binding) -> bool:
    """May a pointer into a text come back? Then texts must lie where the parent can tell them again."""
    types = binding.signature.parameters
    if binding.signature.result.kind is Kind.POINTER and binding.result_marshal not in TEXT:
        return True
    return any(t.kind is Kind.POINTER and m not in TEXT for t, m in zip(types, binding.marshals, strict=True))


def _of_aggregate(convert: Converter) -> Converter:
    def converted(value: Any) -> Any:
        content = convert(value)
        return LentBytes(content, value) if isinstance(value, Memory) else content

    return converted


def _of_text(convert: Converter) -> Converter:
    def converted(value: Any) -> Any:
        content = convert(value)
        return 0 if content is None else borrow(content)

    return converted


def _of_pointer(convert: Converter) -> Converter:
    def converted(value: Any) -> Any:
        origin = getattr(value, "_owner", None)
        if type(origin) is Origin and value._address:
            origin.check()
        address = lent(value, convert(value))
        keep = getattr(address, "keep", None)
        if keep is not None and not isinstance(keep, (Memory, Borrowed, IsolatedCallback)):
            handle = getattr(keep, "_handle", keep)
            if hasattr(handle, "release") and not isinstance(handle, IsolatedCallback):
                raise ArgumentTypeError(
                    "this callback is code of this process: make it while the isolated backend is in use"
                )
        return address

    return converted
