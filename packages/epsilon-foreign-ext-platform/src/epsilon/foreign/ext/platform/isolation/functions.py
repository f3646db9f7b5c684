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
    Marshal,
    Memory,
    Parameter,
    borrow,
    converter,
    preferred_backend,
    use_backend,
)

from .channel import BOX, HEADER, ProtocolError
from .channel import Kind as Message
from .childmemory import Origin, answering
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
        local, own = next(local_backends()), self._own()

        def finished(*result: Any) -> Any:
            origin = getattr(result[0], "keep", None)
            if isinstance(result[0], Address) and origin is None:
                with use_backend(local):  # into memory of this process: see `Loans.returned`
                    return finish(*result)
            token = answering.set(origin)
            try:
                with use_backend(own):
                    made = finish(*result)
            finally:
                answering.reset(token)
            if origin is not None and isinstance(made, Memory):
                _mark(made, origin)
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
            int(address),
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
        session, own = self._session, self._own()
        region, heap = session.region, session.heap
        pointer = definition.signature.result.kind is Kind.POINTER and definition.result_marshal not in TEXT
        errno = definition.capture_errno
        #: An object will be made of the address, which is to know where it is from.
        made = pointer and definition.result_marshal is not Marshal.VALUE

        def invoke(*values: Any) -> Any:
            loans = None
            given = list(values)
            origins = []
            returned = False
            try:
                for position, value in enumerate(given):
                    kind = type(value)
                    if kind is int or kind is float:
                        continue
                    if isinstance(value, Address):
                        loans = loans or Loans(region, heap)
                        given[position] = loans.address(value)
                        origin = getattr(value.keep, "_owner", None)
                        if type(origin) is Origin:
                            origins.append(origin)
                    elif isinstance(value, LentBytes):
                        loans = loans or Loans(region, heap)
                        given[position] = loans.content(value, value.keep)
                with session.lock:
                    for origin in origins:
                        origin.check()
                    life = session.life
                    if life is not None and life.moved:
                        given = [self._libraries.current(life, v) if type(v) is int else v for v in given]
                    result = plain(*given)
                    here = Origin(own, session) if made else None
                returned = True
                if pointer:
                    address = result[0] if errno else result
                    if loans is not None:
                        address = loans.returned(address)
                    if not made:
                        address = address and int(address)
                    elif type(address) is int and not region.holds(address):
                        address = Address(address, here)
                    result = (address, result[1]) if errno else address
            finally:
                if loans is not None:
                    loans.settle(back=returned)
            return result

        return invoke


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
