"""The child: it runs the foreign code, and does what it is told until it is dead.

It is forked from the keeper, which has everything loaded and has never run foreign code. Functions and callbacks are
made by the best backend there is, as in any process; what is special is only where arguments come from and results go.
"""

from __future__ import annotations

import struct
from _thread import RLock, get_ident  # `threading` is not needed for more
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from epsilon.foreign.backend import (
    AbiType,
    Binding,
    CallbackHandle,
    Marshal,
    Parameter,
    Signature,
    UnsupportedSignatureError,
    Upcall,
    UpcallParameter,
    get_backend,
    window,
)
from epsilon.foreign.backend import Kind as TypeKind

from . import pickling
from .channel import HEADER, ROOM, Channel, Kind
from .codec import TEXT, Codec, codec
from .machine import INT, WORD, c_function, local_backend, local_backends
from .mapping import is_code

#: A call: the function's number before its arguments. A result: errno before it.
CALL = struct.Struct("=I")
RESULT = struct.Struct("=i")
#: The answer to anything else: an address, a handle, or nothing.
ANSWER = struct.Struct("=Q")
#: A call from C: the callback's number and whether it comes on a thread of C's own, before its arguments.
UPCALL = struct.Struct("=I?")
_RESULT = int(Kind.RESULT)
_OFFSET = HEADER.size + CALL.size


class Definition(NamedTuple):
    """What the child is told of a function."""

    number: int
    address: int
    name: str
    signature: Signature
    marshals: tuple[Marshal, ...]
    result_marshal: Marshal
    release_gil: bool
    capture_errno: bool


class CallbackDefinition(NamedTuple):
    """What the child is told of a callback: `slot` is where its thunk looks for its address."""

    number: int
    slot: int
    signature: Signature
    marshals: tuple[Marshal, ...]
    error: Any


class _Function(NamedTuple):
    call: Callable[..., Any]
    """Returns the result, with errno where it is wanted."""
    take: Callable[[memoryview], tuple[Any, ...]] | None
    """Reads the arguments where they lie, when they are plain values."""
    put: Callable[[memoryview, Any], None] | None
    """Writes a plain result where it goes."""
    arguments: Codec
    result: Codec
    natural: Callable[[Any], tuple[Any, ...]]
    """What the result's codec is given of a result."""
    errno: bool


class KeptError(Exception):
    """Stands here for an exception that a callback raised in the parent."""


class Worker:
    """The child's side of all calls."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._functions: dict[int, _Function] = {}
        self._callbacks: dict[int, CallbackHandle] = {}
        self._main = get_ident()
        # Whoever holds it may use the channel. Foreign code runs without it, so that its own threads can call back.
        self._talking = RLock()

    def run(self) -> NoReturn:
        """Serve until told to leave."""
        with self._talking:
            while True:
                self._serve()

    def _serve(self) -> tuple[int, bytes]:
        """Do what the next message says; returns those that answer an upcall."""
        channel, functions = self._channel, self._functions
        box, head, number_of = channel.inbox, HEADER.unpack_from, CALL.unpack_from
        while True:
            channel.wait()
            kind, _ = head(box)
            if kind == Kind.CALL:
                function = functions[number_of(box, HEADER.size)[0]]
                take = function.take
                if take is not None:
                    self._call(function, take(box))
                    continue
            kind, content = channel.receive(channel.wait)
            if kind == Kind.CALL:
                function = functions[number_of(content)[0]]
                self._call(function, function.arguments.decode(content, CALL.size))
            elif kind in (Kind.RETURN, Kind.FAIL):
                return kind, content
            else:
                self._answer(_REQUESTS[kind], content)

    def _answer(self, request: Callable[[Worker, bytes], Any], content: bytes) -> None:
        try:
            answer = ANSWER.pack(request(self, content) or 0)
        except Exception as error:
            self._raised(error)
        else:
            self._channel.send(Kind.RESULT, answer, self._channel.wait)

    def _raised(self, error: BaseException) -> None:
        # As text: the parent unpickles nothing that comes from foreign code's process.
        words = type(error).__name__, str(getattr(error, "errno", None) or 0), str(error)
        self._channel.send(Kind.RAISED, "\0".join(words).encode(errors="replace"), self._channel.wait)

    def _call(self, function: _Function, arguments: tuple[Any, ...]) -> None:
        talking = self._talking
        talking.release()
        try:
            result = function.call(*arguments)
        except KeptError:
            talking.acquire()
            self._channel.send(Kind.KEPT, b"", self._channel.wait)
        except BaseException as error:
            talking.acquire()
            self._raised(error)
        else:
            talking.acquire()
            put = function.put
            if put is not None:
                box = self._channel.outbox
                put(box, result)
                box[0] = _RESULT  # last: see `channel`
                self._channel.post()
                return
            result, errno = result if function.errno else (result, 0)
            encoded = function.result.encode(function.natural(result))
            self._channel.send(Kind.RESULT, RESULT.pack(errno) + encoded, self._channel.wait)

    def _define(self, content: bytes) -> None:
        definition: Definition = pickling.loads(content)
        signature = definition.signature
        if not is_code(definition.address):
            raise DataCalledError(f"{definition.name} at {definition.address:#x} is data, not a function")
        binding = Binding(
            signature,
            definition.name,
            tuple(Parameter(marshal=_plain(marshal)) for marshal in definition.marshals),
            result_marshal=_plain(definition.result_marshal),
            release_gil=definition.release_gil,
            capture_errno=definition.capture_errno,
            finish=_with_errno if definition.capture_errno else None,
        )
        arguments = codec(signature.parameters, definition.marshals)
        result = codec((signature.result,), (definition.result_marshal,))
        self._functions[definition.number] = _Function(
            local_backend(signature).bind(definition.address, binding),
            _taker(arguments),
            None if definition.capture_errno else _putter(signature.result, result),
            arguments,
            result,
            _natural(signature.result, definition.result_marshal),
            definition.capture_errno,
        )

    def _define_callback(self, content: bytes) -> None:
        definition: CallbackDefinition = pickling.loads(content)
        signature = definition.signature
        marshals = definition.marshals
        arguments = codec(signature.parameters, marshals)
        result = codec((signature.result,), (Marshal.VALUE,))
        upcall = Upcall(
            signature,
            f"callback_{definition.number}",
            tuple(UpcallParameter(_plain(marshal)) for marshal in marshals),
            error=definition.error,
            onerror=lambda error: None,  # on a thread of C's own: the parent has dealt with it
        )
        function = self._upcall(definition.number, arguments, result, marshals, signature.parameters)
        handle = _made(function, upcall)
        self._callbacks[definition.number] = handle
        window.VIEWS["Q"][(definition.slot - window.BASE) >> 3] = handle.address

    def _upcall(
        self,
        number: int,
        arguments: Codec,
        result: Codec,
        marshals: tuple[Marshal, ...],
        types: tuple[AbiType, ...],
    ) -> Callable[..., Any]:
        nulls = [
            type.kind is TypeKind.POINTER and marshal not in TEXT
            for type, marshal in zip(types, marshals, strict=True)
        ]
        channel = self._channel

        def upcall(*values: Any) -> Any:
            given = [0 if v is None and null else v for v, null in zip(values, nulls, strict=True)]
            alone = get_ident() != self._main
            with self._talking:
                content = UPCALL.pack(number, alone) + arguments.encode(given)
                channel.send(Kind.UPCALL, content, channel.wait)
                kind, answer = self._serve()
            if kind == Kind.FAIL:
                raise KeptError
            found = result.decode(answer)
            return found[0] if found else None

        return upcall

    def _open(self, content: bytes) -> int:
        name, flags = pickling.loads(content)
        return get_backend("ctypes").dlopen(name, flags)

    def _find(self, content: bytes) -> int:
        handle, symbol = pickling.loads(content)
        return get_backend("ctypes").dlsym(handle, symbol)

    def _close(self, content: bytes) -> None:
        get_backend("ctypes").dlclose(pickling.loads(content))

    def _leave(self, content: bytes) -> None:
        # What C has printed and not yet written would be lost otherwise.
        c_function("fflush", INT, WORD)(0)
        c_function("_exit", INT, INT)(0)


class DataCalledError(TypeError):
    """The address of a function is not in memory that may be executed."""


_REQUESTS: dict[int, Callable[[Worker, bytes], Any]] = {
    Kind.DEFINE: Worker._define,
    Kind.CALLBACK: Worker._define_callback,
    Kind.OPEN: Worker._open,
    Kind.FIND: Worker._find,
    Kind.CLOSE: Worker._close,
    Kind.LEAVE: Worker._leave,
}


def _plain(marshal: Marshal) -> Marshal:
    """Texts are bytes on the way; everything else is a machine value here."""
    return Marshal.BYTES if marshal in TEXT else Marshal.VALUE


def _taker(arguments: Codec) -> Callable[[memoryview], tuple[Any, ...]] | None:
    if not arguments.plain or struct.calcsize("=" + arguments.fields) > ROOM - CALL.size:
        return None
    unpack = struct.Struct("=" + arguments.fields).unpack_from
    return lambda box: unpack(box, _OFFSET)


def _putter(type: AbiType, result: Codec) -> Callable[[memoryview, Any], None] | None:
    if not result.plain or struct.calcsize("=" + result.fields) > ROOM - RESULT.size:
        return None
    packed = struct.Struct("=IQi" + result.fields)
    pack, size = packed.pack_into, packed.size - HEADER.size
    if type.kind is TypeKind.VOID:
        return lambda box, result: pack(box, 0, 0, size, 0)
    if type.kind is TypeKind.POINTER:
        return lambda box, result: pack(box, 0, 0, size, 0, result or 0)
    return lambda box, result: pack(box, 0, 0, size, 0, result)


def _natural(type: AbiType, marshal: Marshal) -> Callable[[Any], tuple[Any, ...]]:
    if type.kind is TypeKind.VOID:
        return lambda result: ()
    if type.kind is TypeKind.POINTER and marshal not in TEXT:
        return lambda result: (result or 0,)
    return lambda result: (result,)


def _with_errno(result: Any, errno: int) -> tuple[Any, int]:
    return result, errno


def _made(function: Callable[..., Any], upcall: Upcall) -> CallbackHandle:
    """A callback on the best backend that can make it."""
    refused = UnsupportedSignatureError(f"no backend can make a callback of {upcall.signature!r}")
    for backend in local_backends():
        if backend.supports(upcall.signature):
            try:
                return backend.callback(function, upcall)
            except UnsupportedSignatureError as error:
                refused = error
    raise refused
