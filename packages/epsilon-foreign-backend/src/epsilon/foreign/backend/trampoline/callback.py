"""Callbacks behind generated stubs: the record of one callback, and the object that owns it."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import pending
from ..abi import Kind
from ..heaptype import heap_type, word_offsets
from ..memobject import MEMORY
from ..quarantine import Quarantine
from ..upcall import Upcall, dead, failed, receiver, returner
from .codegen import MemoryOffsets, UpcallOffsets, UpcallSpec, UpcallTarget
from .cpython.types import slot_offset
from .thunks import Thunk, ThunkHeap

if TYPE_CHECKING:
    from .stubs import Stubs

_WORDS = ("_error", "_active", "_pointees")

if TYPE_CHECKING:

    class _Words:
        """What `heap_type` makes below, for type checkers."""

        _error: int
        _active: int
        _pointees: int

else:
    _Words = heap_type(f"{__name__}._Words", words=_WORDS)


class CallbackRecord(_Words):
    """What an upcall stub reads of its callback. A record and its thunk belong together for ever."""

    __slots__ = ("function", "keep", "kind", "thunk")

    function: Any
    keep: Any
    """What the last result points to."""
    kind: CallbackKind
    thunk: Thunk


class CallbackKind:
    """What callbacks of one upcall share: the stub's address, the error value, the conversions, the pointees."""

    __slots__ = ("code", "convert", "error", "receives", "table", "table_address", "upcall")

    def __init__(self, upcall: Upcall, code: int) -> None:
        self.upcall = upcall
        self.code = code
        self.error = _bits(upcall)
        self.convert = returner(upcall)
        # Where the stub makes a pointer object there is nothing left to receive.
        rest = [p if p.pointee is None else p._replace(receive=None) for p in upcall.parameters]
        self.receives = upcall._replace(parameters=tuple(rest)) if any(p.receive for p in rest) else None
        self.table = _table(upcall)
        self.table_address = 0 if self.table is None else ctypes.addressof(self.table)


def spec_of(upcall: Upcall) -> UpcallSpec:
    """The spec of the stub that serves a completed upcall."""
    return UpcallSpec(
        upcall.signature,
        tuple([p.marshal for p in upcall.parameters]),
        tuple([p.pointee is not None for p in upcall.parameters]),
        upcall.convert is not None,
    )


def _bits(upcall: Upcall) -> int:
    """The error value as the 64 bits of a register."""
    result, error = upcall.signature.result, upcall.error
    if result.kind is Kind.VOID:
        return 0
    if result.kind is Kind.FLOAT:
        return int.from_bytes(struct.pack("<d" if result.size == 8 else "<f", error), "little")
    return int(error) & 0xFFFF_FFFF_FFFF_FFFF


def _table(upcall: Upcall) -> Any:
    rows = [p.pointee for p in upcall.parameters]
    if not any(rows):
        return None
    words: list[int] = []
    for row in rows:
        words += (0, 0, 0) if row is None else (id(row.type), row.size, row.cell)
    return (ctypes.c_uint64 * len(words))(*words)


def _convert(result: Any, record: CallbackRecord) -> Any:
    """A canonical result. What a pointer among them points to lives until the next call."""
    record.keep = canonical = record.kind.convert(result)
    return canonical


def _handle(error: BaseException | None, record: CallbackRecord) -> None:
    """Keep an exception for the foreign call below, which is there if any Python code is."""
    if error is None:
        error = SystemError(f"callback {record.kind.upcall.name} failed without an exception")
    failed(error, record.kind.upcall, record.function, alone=sys._getframe().f_back is None)


_ERROR, _ACTIVE, _POINTEES = word_offsets(object, _WORDS)
TARGET = UpcallTarget(
    UpcallOffsets(slot_offset(CallbackRecord, "function"), _ERROR, _ACTIVE, _POINTEES),
    MemoryOffsets(MEMORY.address, MEMORY.lower, MEMORY.upper, MEMORY.live),
    convert=id(_convert),
    handle=id(_handle),
    pending=pending.COUNT_ADDRESS,
    is_pending=id(pending.here),
    finalizing=pending.FINALIZING_ADDRESS,
)

#: Without a GIL a stub on another thread may have read `function` and not called it yet.
_FREE_THREADED = object.__basicsize__ != 16


class Callbacks:
    """Makes callbacks out of thunks, records and stubs, and takes them back."""

    def __init__(self, stubs: Stubs) -> None:
        self._stubs = stubs
        self._thunks = ThunkHeap(stubs.target.machine.name)
        self._released: Quarantine[CallbackRecord] = Quarantine()
        self._kinds: dict[int, CallbackKind] = {}

    def make(self, function: Callable[..., Any], upcall: Upcall) -> TrampolineCallback:
        """A callback of a completed upcall. Raises ExecutableMemoryError."""
        kind = self._kinds.get(id(upcall))
        if kind is None or kind.upcall is not upcall:
            kind = self._kind(upcall)
        record = self._released.take()
        if record is None or self._in_flight(record):
            record = self._fresh(record)
        record.kind = kind
        record.function = function if kind.receives is None else receiver(function, kind.receives)
        record._error = kind.error
        record._pointees = kind.table_address
        record.thunk.set(kind.code, id(record))
        return TrampolineCallback(self, record)

    def release(self, record: CallbackRecord) -> None:
        """Let every further call be reported; the record is used again once enough others have been released."""
        name = record.kind.upcall.name

        def released(*_: Any) -> Any:
            raise dead(name)

        if _FREE_THREADED:
            record.keep = record.function
        record.function = released
        self._released.add(record)

    def _kind(self, upcall: Upcall) -> CallbackKind:
        if len(self._kinds) >= 1024:
            self._kinds.clear()
        kind = self._kinds[id(upcall)] = CallbackKind(upcall, self._stubs.get_upcall(spec_of(upcall)))
        return kind

    def _fresh(self, busy: CallbackRecord | None) -> CallbackRecord:
        """A record that was never used; `busy` is one whose time in quarantine was not enough."""
        if busy is not None:
            self._released.add(busy)
        record = CallbackRecord()
        record.thunk = self._thunks.take()
        return record

    @staticmethod
    def _in_flight(record: CallbackRecord) -> bool:
        # Two references are the caller's variable and getrefcount's own.
        return bool(record._active) or (_FREE_THREADED and sys.getrefcount(record) > 3)


class TrampolineCallback:
    """Machine code that calls a Python function; alive until `release` or until this object dies."""

    __slots__ = ("__weakref__", "_home", "_record", "address")

    def __init__(self, home: Callbacks, record: CallbackRecord) -> None:
        self._home = home
        self._record: CallbackRecord | None = record
        self.address: int = record.thunk.address

    def release(self) -> None:
        """Let every further call be reported. Releasing twice does nothing."""
        record, self._record = self._record, None
        if record is not None:
            self.address = 0
            self._home.release(record)

    def __del__(self) -> None:
        self.release()
