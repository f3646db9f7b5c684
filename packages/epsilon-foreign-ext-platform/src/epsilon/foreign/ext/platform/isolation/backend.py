"""`Backend` whose functions run in a child process, so that what kills them does not kill Python."""

from __future__ import annotations

import ctypes
import itertools
import struct
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from epsilon.foreign.backend import (
    FUNDAMENTAL,
    Accessors,
    Address,
    ArgumentTypeError,
    BackendBase,
    Binding,
    Borrowed,
    Converter,
    ForeignFunction,
    Kind,
    LifetimeError,
    Marshal,
    Memory,
    Parameter,
    ProcessLock,
    RemoteMemoryError,
    Signature,
    Upcall,
    borrow,
    converter,
    foreign_function,
    free,
    preferred_backend,
    remotes,
    use_backend,
)

from .channel import BOX, HEADER
from .channel import Kind as Message
from .codec import TEXT, codec
from .lending import LentBytes, Loans, lent
from .machine import INT, LONG, WORD, c_function, local_backends
from .profile import Profile
from .session import Conversation, Life, Session
from .upcalls import IsolatedCallback, Upcalls
from .worker import CALL, RESULT, Definition

#: Bytes of addresses that shared memory takes by default; only what is used takes memory.
RESERVE = 1 << 36
_PAGE = 4096


class IsolatedBackend(BackendBase):
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
        self._upcalls = Upcalls(me)
        self._lazy = _Lazy(
            lambda: Session(
                timeout=timeout,
                memory_limit=memory_limit,
                profile=profile,
                descriptors=tuple(descriptors),
                reserve=reserve,
                traced=traced,
                upcall=upcalls.answer,
                begin=lambda life: (backend := me()) and backend._begin(life),
            )
        )
        upcalls = self._upcalls
        self.capabilities = frozenset().union(*(backend.capabilities for backend in local_backends()))
        self._numbers = itertools.count(1)
        self._tokens = itertools.count(1)
        self._libraries: dict[int, tuple[str | None, int | None]] = {}
        self._symbols: dict[int, tuple[int, str]] = {}
        self._first: dict[int, tuple[str, int]] = {}
        memory = weakref.proxy(self)
        remotes.append(memory)
        #: Ends the child. Its functions raise LifetimeError from then on; memory in use stays until it is freed.
        self.close: Callable[[], Any] = weakref.finalize(self, _close, self._lazy, memory)

    @property
    def _session(self) -> Session:
        """Made when it is first needed. Raises BackendUnavailableError, LifetimeError."""
        session = self._lazy.session or self._lazy.make()
        if self._upcalls.session is None:
            self._upcalls.session = session
        return session

    # -- What it is

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

    # -- Libraries

    def dlopen(self, name: str | None, flags: int | None = None) -> int:
        """Open a library in the child, and in every later one. Raises OSError, ForeignCrash."""
        with self._session.lock:
            life = self._ready()
            token = next(self._tokens)
            life.handles[token] = self._session.ask(life, Message.OPEN, (name, flags), f"dlopen({name!r})")
            self._libraries[token] = (name, flags)
            return token

    def dlsym(self, handle: int, symbol: str) -> int:
        """The address of a symbol in the child. Raises LookupError, ForeignCrash."""
        with self._session.lock:
            life = self._ready()
            address = self._find(life, handle, symbol)
            self._symbols.setdefault(address, (handle, symbol))
            self._first.setdefault(handle, (symbol, address))
            return address

    def dlclose(self, handle: int) -> None:
        """Close a library in the child. Raises OSError."""
        with self._session.lock:
            if self._libraries.pop(handle, None) is None:
                raise OSError(f"{handle} is no library of the isolated backend")
            self._first.pop(handle, None)
            self._symbols = {a: s for a, s in self._symbols.items() if s[0] != handle}
            life = self._session.life
            if life is not None and self._session.channel.live and not self._session.closed:
                self._session.ask(life, Message.CLOSE, life.handles.pop(handle), "dlclose")

    def _find(self, life: Life, handle: int, symbol: str) -> int:
        if handle not in life.handles:
            raise LookupError(f"{handle} is no library of the isolated backend")
        found = self._session.ask(life, Message.FIND, (life.handles[handle], symbol), f"dlsym({symbol!r})")
        return self._stable(life, handle, found)

    def _stable(self, life: Life, handle: int, address: int) -> int:
        """An address of a child as those of the first one were."""
        return address - life.moved.get(handle, 0)

    def _current(self, life: Life, address: int) -> int:
        """An address that `dlsym` gave, in the child that there is now."""
        if not life.moved:
            return address
        found = self._symbols.get(address)
        return address if found is None else address + life.moved.get(found[0], 0)

    def _begin(self, life: Life) -> None:
        """Bring a fresh child to where the last one was: open the libraries, in the same order."""
        self._upcalls.begin()
        for token, (name, flags) in self._libraries.items():
            life.handles[token] = self._session.ask(life, Message.OPEN, (name, flags), f"dlopen({name!r})")
        for token, (symbol, address) in self._first.items():
            # Children are forked from one process, so libraries are where they were, as a rule.
            distance = self._find(life, token, symbol) - address
            if distance:
                life.moved[token] = distance

    def _ready(self) -> Life:
        life = self._session.ready()
        if self._upcalls.undefined:
            self._upcalls.tell(life)
        return life

    # -- Memory

    def alloc(self, size: int, alignment: int = FUNDAMENTAL) -> int:
        """Zeroed memory that this process and the child have at the same address. Raises MemoryError, ValueError,
        LifetimeError."""
        if self._lazy.closed:
            raise LifetimeError("the isolated backend is closed")
        return self._session.heap.alloc(size, alignment)

    def free(self, address: int, *, _free: Callable[[int], None] = free) -> None:
        """Free what `alloc` of any backend returned."""
        session = self._lazy.session
        if session is None or not session.heap.free(address):
            _free(address)

    def shares(self, address: int, size: int = 1) -> bool:
        """Is this memory the same in both processes?"""
        session = self._lazy.session
        return session is not None and session.region.holds(address, size)

    def read(self, address: int, size: int) -> bytes:
        """A copy of `size` bytes of the child's memory. Raises RemoteMemoryError for what is not mapped there."""
        buffer = ctypes.create_string_buffer(size)
        if size and self._transfer("process_vm_readv", ctypes.addressof(buffer), address, size) != size:
            raise RemoteMemoryError(f"{size} bytes at {address:#x} cannot be read in the isolated process")
        return buffer.raw

    def read_string(self, address: int) -> bytes:
        """The bytes at an address in the child up to a NUL. Raises RemoteMemoryError."""
        found = b""
        while True:
            piece = self.read(address, _PAGE - address % _PAGE)
            head, end, _ = piece.partition(b"\0")
            found += head
            if end:
                return found
            address += len(piece)

    def fetch(self, pointer: Any, count: int = 1) -> Any:
        """A copy of `count` elements that a pointer from the child points to, as an array of this process.

        Raises RemoteMemoryError, and what `read` raises; TypeError for what is no pointer.
        """
        from epsilon.foreign.runtime import Pointer, from_buffer

        if not isinstance(pointer, Pointer):
            raise TypeError(f"expected a pointer, got {type(pointer).__name__}")
        size = pointer.target_size() * count
        return from_buffer(pointer.target(), bytearray(self.read(pointer.address, size)))

    def write(self, address: int, data: bytes) -> None:
        """Copy bytes into the child's memory. Raises RemoteMemoryError for what cannot be written there."""
        buffer = ctypes.create_string_buffer(data, len(data)) if data else b""
        if data and self._transfer("process_vm_writev", ctypes.addressof(buffer), address, len(data)) != len(
            data
        ):  # type: ignore[arg-type]
            raise RemoteMemoryError(
                f"{len(data)} bytes at {address:#x} cannot be written in the isolated process"
            )

    def _transfer(self, call: str, here: int, there: int, size: int) -> int:
        """process_vm_readv(2) or process_vm_writev(2): how many bytes went, or -1."""
        life = self._lazy.session and self._lazy.session.life
        if not life:
            raise RemoteMemoryError("there is no isolated process to read from or write to")
        local = (ctypes.c_size_t * 2)(here, size)
        remote = (ctypes.c_size_t * 2)(self._current(life, there), size)
        copy = c_function(call, LONG, INT, WORD, LONG, WORD, LONG, LONG)
        return int(copy(life.process, ctypes.addressof(local), 1, ctypes.addressof(remote), 1, 0))

    # -- Functions

    def bind(self, address: int, binding: Binding | Signature) -> Callable[..., Any]:
        """See `Backend.bind`. Raises NotAFunctionError for the address of data, ForeignCrash."""
        whole = self._validated(address, binding)
        traced = whole._replace(parameters=self._lending(whole), finish=self._finish(whole), make=None)
        return foreign_function(address, traced, self._invoker(address, whole), self.name)

    def _finish(self, binding: Binding) -> Callable[..., Any] | None:
        """What makes the result: it may look at addresses, which are the child's."""
        finish = binding.finish
        if finish is None or binding.signature.result.kind not in (Kind.POINTER, Kind.AGGREGATE):
            return finish
        region, local = self._session.region, local_backends()[0]

        def finished(*result: Any) -> Any:
            if isinstance(result[0], Address):  # into memory of this process: see `Loans.returned`
                with use_backend(local):
                    return finish(*result)
            with use_backend(self):
                made = finish(*result)
            if isinstance(made, Memory) and not region.holds(made._address):
                self._mark(made)
            return made

        return finished if binding.signature.result.kind is Kind.POINTER else self._within(finish)

    def _mark(self, pointer: Any) -> None:
        """Let a pointer to memory that only the child has know it, and promise nothing."""
        if getattr(pointer, "_owner", self) is None:
            pointer._owner = self
            pointer._lower = pointer._upper = 0

    def _within(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is called with this backend in use."""

        def called(*args: Any) -> Any:
            if preferred_backend() is self:
                return function(*args)
            with use_backend(self):
                return function(*args)

        return called

    def redirect(self, function: Callable[..., Any], address: int | None) -> None:
        """See `Backend.redirect`."""
        if not isinstance(function, ForeignFunction):
            raise TypeError(f"not a function that the {self.name} backend bound: {function!r}")
        function.redirect(address, self._invoker(address, function.binding) if address else None)

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

    def _invoker(self, address: int, binding: Binding) -> Callable[..., Any]:
        signature = binding.signature
        texts = _texts_as_pointers(binding)
        marshals = tuple(Marshal.VALUE if texts and m in TEXT else m for m in binding.marshals)
        definition = Definition(
            next(self._numbers),
            address,
            binding.name,
            signature,
            marshals,
            binding.result_marshal,
            binding.release_gil,
            binding.capture_errno,
        )
        with self._session.lock:
            self._define(self._ready(), definition)
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
        current = definition._replace(address=self._current(life, definition.address))
        self._session.ask(life, Message.DEFINE, current, definition.name)
        life.functions.add(definition.number)

    def _plain_invoke(self, definition: Definition, post: _Post, natural: _Natural) -> Callable[..., Any]:
        """A call whose arguments are numbers and texts."""
        session, upcalls, number, name = self._session, self._upcalls, definition.number, definition.name
        lock, ready, converse = session.lock, session.ready, session.converse
        box, timeout = session.channel.outbox, session.timeout

        def invoke(*values: Any) -> Any:
            with lock:
                life = ready()
                if upcalls.undefined:
                    upcalls.tell(life)
                if number not in life.functions:
                    self._define(life, definition)
                kind, content = post(box, values)
                content = converse(Conversation(life, name, timeout), kind, content)
            return natural(content)

        return invoke

    def _lending_invoke(self, definition: Definition, post: _Post, natural: _Natural) -> Callable[..., Any]:
        """A call whose arguments may point to memory that only this process has."""
        plain = self._plain_invoke(definition, post, lambda content: content)
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
                    given = [
                        self._current(life, v) if type(v) is int and v in self._symbols else v for v in given
                    ]
                result = natural(plain(*given))
                returned = True
                if pointer and loans is not None:
                    if errno:
                        result = (loans.returned(result[0]), result[1])
                    else:
                        result = loans.returned(result)
            finally:
                if loans is not None:
                    loans.settle(back=returned)
            return result

        return invoke

    # -- Callbacks

    def callback(self, function: Callable[..., Any], upcall: Upcall | Signature) -> IsolatedCallback:
        """See `Backend.callback`. Its address stays the same from one child to the next."""
        return self._upcalls.maker(upcall)(function)

    def callback_maker(self, upcall: Upcall | Signature) -> Callable[[Callable[..., Any]], IsolatedCallback]:
        """See `Backend.callback_maker`."""
        return self._upcalls.maker(upcall)

    # -- Its life

    def restart(self) -> None:
        """End the child; the next call gets a fresh one."""
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


_Post = Callable[[memoryview, Sequence[Any]], tuple[Message | None, bytes]]
_Natural = Callable[[bytes], Any]


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


class _Lazy:
    """A session that is made when it is first needed: a backend that is merely there costs nothing."""

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._lock = ProcessLock()
        self.session: Session | None = None
        self.closed = False

    def make(self) -> Session:
        """The session. Raises BackendUnavailableError, LifetimeError."""
        with self._lock:
            if self.closed:
                raise LifetimeError("the isolated backend is closed")
            if self.session is None:
                self.session = self._make()
            return self.session


def _close(lazy: _Lazy, memory: Any) -> None:
    """When a backend is closed or dropped, or the interpreter ends."""
    remotes[:] = [each for each in remotes if each is not memory]
    lazy.closed = True
    if lazy.session is not None:
        lazy.session.close()
