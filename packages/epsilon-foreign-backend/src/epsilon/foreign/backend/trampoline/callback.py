"""Callbacks behind generated stubs.

A callback is its own record: the object that the user holds is what the stub reads. When it dies it is not freed but
joins the quarantine, and so stays readable for C that calls it too late. Making and dropping callbacks is a hot path,
which is why this is written flat.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import pending
from ..abi import AbiType, Kind
from ..aggregates import exact_bytes
from ..binding import Converter, Marshal
from ..errors import UnsupportedSignatureError
from ..heaptype import WORD, heap_type, slot_offset, word_offsets
from ..memobject import MEMORY
from ..quarantine import DEPTH
from ..signature import Signature
from ..upcall import DeadCallbackError, Upcall, UpcallParameter, completed, dead, failed, receiver, returner
from .codegen import INLINE, Likeness, MemoryOffsets, UpcallOffsets, UpcallSpec, UpcallTarget
from .specs import likeness_of, row_of
from .thunks import Thunk, ThunkHeap

if TYPE_CHECKING:
    from .stubs import Stubs

_WORDS = ("_shared", "_active")

if TYPE_CHECKING:

    class _Words:
        """What `heap_type` makes below, for type checkers."""

        _shared: int
        _active: int

else:
    _Words = heap_type(f"{__name__}._Words", words=_WORDS)


class TrampolineCallback(_Words):
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    __slots__ = ("__weakref__", "_function", "_keep", "_kind", "_thunk")

    _function: Any
    _keep: Any
    """What the last result points to."""
    _kind: CallbackKind
    _thunk: Thunk | None

    @property
    def address(self) -> int:
        """Where C calls it; 0 once released."""
        return 0 if self._function is self._kind.released else self._thunk.address  # type: ignore[union-attr]

    def release(self) -> None:
        """Let every further call be reported. Releasing twice does nothing."""
        try:
            kind, function = self._kind, self._function
        except AttributeError:  # it was never finished
            return
        if function is not kind.released:
            if _FREE_THREADED:
                self._keep = function
            self._function = kind.released
            kind.queue.append(self)

    # Brings the object back to life, in the queue; CPython finalizes an object once (PEP 442), so when the queue lets
    # go of it, it is gone.
    __del__ = release


class CallbackKind:
    """What callbacks of one upcall share: the stub's address, the words it reads, the conversions."""

    __slots__ = ("code", "convert", "keep", "queue", "receives", "released", "shared", "upcall")

    def __init__(self, upcall: Upcall, code: int, queue: deque[TrampolineCallback]) -> None:
        self.upcall = upcall
        self.code = code
        self.queue = queue
        self.convert = _canonical(upcall)
        # Where the stub makes the object there is nothing left to receive.
        makes = spec_of(upcall).makes
        rest = [
            p if m is None else p._replace(receive=None)
            for p, m in zip(upcall.parameters, makes, strict=True)
        ]
        self.receives = upcall._replace(parameters=tuple(rest)) if any(p.receive for p in rest) else None
        self.keep = _shared_words(upcall)
        self.shared = ctypes.addressof(self.keep)

        def released(*_: Any) -> Any:
            raise dead(upcall.name)

        self.released = released


def _canonical(upcall: Upcall) -> Converter:
    """What makes a canonical result: of an aggregate, exact bytes of its size."""
    convert, type = returner(upcall), upcall.signature.result
    if type.kind is not Kind.AGGREGATE:
        return convert
    return lambda value: exact_bytes(type, convert(value))


def spec_of(upcall: Upcall) -> UpcallSpec:
    """The spec of the stub that serves a completed upcall."""
    return UpcallSpec(
        upcall.signature,
        tuple([p.marshal for p in upcall.parameters]),
        tuple([_likeness(p, t) for p, t in zip(upcall.parameters, upcall.signature.parameters, strict=True)]),
        upcall.result_marshal is Marshal.OBJECT,
    )


def _likeness(parameter: UpcallParameter, type: AbiType) -> Likeness | None:
    """What the stub makes the argument like; None when it gives the natural value."""
    if parameter.make is None or (type.kind is Kind.AGGREGATE and type.size > INLINE):
        return None
    return likeness_of(parameter.make, type.size)


def _shared_words(upcall: Upcall) -> Any:
    words = [_error_bits(upcall)]
    for p in upcall.parameters:
        words += (0, 0, 0, 0) if p.make is None else row_of(p.make)
    if upcall.signature.result.kind is Kind.AGGREGATE:
        words += _aggregate_words(exact_bytes(upcall.signature.result, upcall.error))
    return (ctypes.c_uint64 * len(words))(*words)


def _aggregate_words(data: bytes) -> list[int]:
    """An aggregate as the words it is in, the last one filled up."""
    return [int.from_bytes(data[at : at + WORD], "little") for at in range(0, len(data), WORD)]


def _error_bits(upcall: Upcall) -> int:
    """The error value as the 64 bits of a register."""
    result, error = upcall.signature.result, upcall.error
    if result.kind in (Kind.VOID, Kind.AGGREGATE):
        return 0
    if result.kind is Kind.FLOAT:
        return int.from_bytes(struct.pack("<d" if result.size == 8 else "<f", error), "little")
    return int(error) & 0xFFFF_FFFF_FFFF_FFFF


def _convert(result: Any, callback: TrampolineCallback) -> Any:
    """A canonical result. What a pointer among them points to lives until the next call."""
    callback._keep = canonical = callback._kind.convert(result)
    return canonical


def _handle(error: BaseException | None, callback: TrampolineCallback) -> None:
    """Deal with an exception that the stub did not keep: most likely there is no foreign call to raise it."""
    upcall = callback._kind.upcall
    if error is None:
        error = SystemError(f"callback {upcall.name} failed without an exception")
    failed(error, upcall, callback._function, alone=sys._getframe().f_back is None)


TARGET = UpcallTarget(
    UpcallOffsets(slot_offset(TrampolineCallback, "_function"), *word_offsets(object, _WORDS)),
    MemoryOffsets(MEMORY.address, MEMORY.lower, MEMORY.upper),
    convert=id(_convert),
    handle=id(_handle),
    dead=id(DeadCallbackError),
    finalizing=pending.FINALIZING_ADDRESS,
)

#: Without a GIL a stub on another thread may have read the function and not called it yet.
_FREE_THREADED = object.__basicsize__ != 16
#: Kinds that are kept; an upcall is known by its identity.
_KINDS = 1024


class Callbacks:
    """Makes callbacks out of thunks and stubs, and uses thunks again."""

    def __init__(self, stubs: Stubs, supports: Callable[[Signature], bool]) -> None:
        self._stubs = stubs
        self._supports = supports
        self._thunks = ThunkHeap(stubs.target.machine().name)
        self._released: deque[TrampolineCallback] = deque()
        # Never freed, not at shutdown either: C may call what lies in it for as long as the process lives.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._released))
        self._kinds: dict[int, tuple[Upcall | Signature, CallbackKind]] = {}

    def make(self, function: Callable[..., Any], upcall: Upcall | Signature) -> TrampolineCallback:
        """A callback that calls `function`. Raises as `Backend.callback`, and ExecutableMemoryError."""
        found = self._kinds.get(id(upcall))
        if found is None or found[0] is not upcall:
            found = self._new_kind(upcall)
        kind = found[1]
        callback = TrampolineCallback()
        callback._kind = kind
        callback._function = function if kind.receives is None else receiver(function, kind.receives)
        callback._shared = kind.shared
        released = self._released
        thunk = self._reclaim() if len(released) > DEPTH else self._thunks.take()
        callback._thunk = thunk
        _, words, index = thunk
        # The context first: whoever calls meanwhile must not find new code with an old context.
        words[index + 1] = id(callback)
        words[index] = kind.code
        return callback

    def _reclaim(self) -> Thunk:
        """The thunk of the callback that was released longest ago, unless that is still running."""
        try:
            oldest = self._released.popleft()
        except IndexError:  # another thread was faster
            return self._thunks.take()
        # On free-threaded builds a running stub holds a reference: beside it, `oldest` and getrefcount's own.
        if oldest._active or (_FREE_THREADED and sys.getrefcount(oldest) > 2):
            self._released.append(oldest)
            return self._thunks.take()
        thunk = oldest._thunk
        assert thunk is not None
        return thunk

    def _new_kind(self, upcall: Upcall | Signature) -> tuple[Upcall | Signature, CallbackKind]:
        whole = completed(upcall)
        if not self._supports(whole.signature):
            raise UnsupportedSignatureError(
                f"the trampoline backend cannot make a callback of {whole.signature!r}"
            )
        if len(self._kinds) >= _KINDS:
            self._kinds.clear()
        kind = CallbackKind(whole, self._stubs.get_upcall(spec_of(whole)), self._released)
        found = self._kinds[id(upcall)] = (upcall, kind)
        return found
