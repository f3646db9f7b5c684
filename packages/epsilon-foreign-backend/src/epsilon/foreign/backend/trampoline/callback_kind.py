"""What callbacks of one upcall share: the stub, the words it reads, the conversions."""

from __future__ import annotations

import ctypes
import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from ..abi import AbiType, Kind
from ..aggregates import exact_bytes
from ..binding import Converter, Marshal
from ..heaptype import WORD, heap_type, slot_offset, word_offsets
from ..locks import ProcessLock
from ..upcall import Upcall, UpcallParameter, dead, lends, returner
from .codegen import INLINE, KindOffsets, Likeness, UpcallSpec
from .codegen.upcall_spec import ROW_SIZE, ROW_SPARE, SHARED_ROWS
from .specs import likeness_of, row_of

if TYPE_CHECKING:
    from .callback import TrampolineCallback

#: The words of a kind in order; the last four are the PyMethodDef of the function that makes callbacks.
_WORDS = ("_code", "_shared", "_control", "_method_name", "_entry", "_method_flags", "_method_doc")
_OFFSETS = dict(zip(_WORDS, word_offsets(object, _WORDS), strict=True))
METHOD_DEF = _OFFSETS["_method_name"]

if TYPE_CHECKING:

    class _Words:
        """What `heap_type` makes below, for type checkers."""

        _code: int
        _shared: int
        _control: int
        _method_name: int
        _entry: int
        _method_flags: int
        _method_doc: int

else:
    _Words = heap_type(f"{__name__}._Words", words=_WORDS)


class CallbackKind(_Words):
    """Made of a completed upcall and the address of its stub; `queue` is for callbacks that Python code releases."""

    __slots__ = ("_keep", "convert", "lends", "lock", "queue", "receives", "released", "upcall")

    released: Any
    """What released callbacks have for a function."""

    def __init__(self, upcall: Upcall, code: int, queue: deque[TrampolineCallback]) -> None:
        self.upcall = upcall
        self.queue = queue
        self.lock = ProcessLock()
        self.convert = _canonical(upcall)
        self.lends = lends(upcall)
        # Where the stub makes the object there is nothing left to receive.
        makes = spec_of(upcall).makes
        rest = [
            p if m is None else p._replace(receive=None)
            for p, m in zip(upcall.parameters, makes, strict=True)
        ]
        self.receives = upcall._replace(parameters=tuple(rest)) if any(p.receive for p in rest) else None
        self._code = code
        self._keep = _shared_words(upcall)
        self._shared = ctypes.addressof(self._keep)

        def released(*_: Any) -> Any:
            raise dead("of no known name")

        self.released = released

    def __del__(self) -> None:
        """Let go of the pointer objects that wait to be used again."""
        words = getattr(self, "_keep", None)
        if words is None:
            return
        for index in range(len(self.upcall.parameters)):
            spare = words[(SHARED_ROWS + ROW_SIZE * index + ROW_SPARE) // WORD]
            if spare:
                _drop(spare)


_drop: Any = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("Py_DecRef", ctypes.pythonapi))
KIND = KindOffsets(
    _OFFSETS["_code"], _OFFSETS["_shared"], _OFFSETS["_control"], slot_offset(CallbackKind, "released")
)


def spec_of(upcall: Upcall) -> UpcallSpec:
    """The spec of the stub that serves a completed upcall."""
    return UpcallSpec(
        upcall.signature,
        tuple([p.marshal for p in upcall.parameters]),
        tuple([_likeness(p, t) for p, t in zip(upcall.parameters, upcall.signature.parameters, strict=True)]),
        upcall.result_marshal is Marshal.OBJECT,
    )


def _canonical(upcall: Upcall) -> Converter:
    """What makes a canonical result: of an aggregate, exact bytes of its size."""
    convert, type = returner(upcall), upcall.signature.result
    if type.kind is not Kind.AGGREGATE:
        return convert
    return lambda value: exact_bytes(type, convert(value))


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
