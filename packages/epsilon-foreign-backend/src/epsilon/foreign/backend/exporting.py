"""Memory objects export their bytes by the buffer protocol, also where Python classes cannot (before 3.12).

A class says what it exports with ``_export(flags) -> Exported``, and learns that an export ended by
``_unexport()``. From 3.12 on that is ``__buffer__`` (PEP 688). Before, the type's getbuffer slot is a ctypes
callback; it cannot raise, so CPython reports a refusal as SystemError.
https://docs.python.org/3/c-api/buffer.html
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any, NamedTuple

from .buffers import Py_buffer, PyBUF_WRITABLE
from .heaptype import Py_bf_getbuffer

PyBUF_FORMAT = 0x4
PyBUF_ND = 0x8
PyBUF_STRIDES = 0x10 | PyBUF_ND


class Exported(NamedTuple):
    """A C-contiguous array in memory: `format` in the words of PEP 3118, `shape` of at least one
    dimension."""

    address: int
    itemsize: int
    format: bytes
    shape: tuple[int, ...]
    readonly: bool = False


@functools.cache
def _permanent(format: bytes) -> Any:
    """A format's text for ever: a memoryview does not copy it. There are as many as there are item types."""
    return ctypes.create_string_buffer(format)


def _fill(view: Any, exported: Exported) -> Any:
    """Fill a `Py_buffer`; returns what must live as long as its shape and strides are used."""
    rank = len(exported.shape)
    extents = (ctypes.c_ssize_t * (2 * rank))()
    step = exported.itemsize
    for axis in reversed(range(rank)):
        extents[axis], extents[rank + axis] = exported.shape[axis], step
        step *= exported.shape[axis]
    view.buf, view.len, view.itemsize = exported.address, step, exported.itemsize
    view.readonly, view.ndim = exported.readonly, rank
    view.suboffsets = view.internal = None  # whoever asks for a buffer need not have cleared the struct
    view.format = ctypes.addressof(_permanent(exported.format))
    view.shape = ctypes.addressof(extents)
    view.strides = ctypes.addressof(extents) + rank * ctypes.sizeof(ctypes.c_ssize_t)
    return extents


_from_buffer = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(Py_buffer))(
    ("PyMemoryView_FromBuffer", ctypes.pythonapi)
)


def view_of(exported: Exported) -> memoryview:
    """A memoryview of raw memory; nothing keeps that memory alive."""
    view = Py_buffer()
    extents = _fill(view, exported)
    made: memoryview = _from_buffer(view)  # copies shape and strides
    del extents
    return made


def _buffer(self: Any, flags: int, /) -> memoryview:
    """The object's memory (PEP 688)."""
    exported = self._export(flags)
    try:
        return view_of(exported)
    except BaseException:
        self._unexport()
        raise


def _release_buffer(self: Any, view: memoryview, /) -> None:
    """The end of one export (PEP 688)."""
    view.release()
    self._unexport()


class _Export:
    """The owner of one export before 3.12: its death, when the consumer releases the buffer, ends the export.

    A releasebuffer slot would run Python code while the consumer's exception may be set; a finaliser saves
    that.
    """

    __slots__ = ("_data", "_extents")

    #: References to one that is dying because nothing refers to it, as its finaliser counts them.
    _alone = sys.maxsize

    def __init__(self, data: Any, extents: Any) -> None:
        self._data = data
        self._extents = extents

    def __del__(self, count: Any = sys.getrefcount) -> None:
        # The collector finalises all of a cycle before it breaks it, so the buffer may be in use for a while yet, by
        # another finaliser or for ever. There is no second call: the export never ends, and its memory stays.
        if count(self) <= self._alone:
            self._data._unexport()


def _alone() -> int:
    """The count of references in a finaliser that is called because the last of them is gone."""
    found: list[int] = []

    class Probe:
        def __del__(self, count: Any = sys.getrefcount) -> None:
            found.append(count(self))

    Probe()
    return found[0]


_Export._alone = _alone()


def _get(data: Any, address: int, flags: int) -> int:
    """The getbuffer slot before 3.12."""
    view = Py_buffer.from_address(address)
    view.obj = None
    exported = data._export(flags)
    owner = _Export(data, _fill(view, exported))
    if flags & PyBUF_WRITABLE and exported.readonly:
        raise BufferError("the memory is read-only")
    if not flags & PyBUF_FORMAT:
        view.format = None
    if flags & PyBUF_ND != PyBUF_ND:
        view.shape = None
    if flags & PyBUF_STRIDES != PyBUF_STRIDES:
        view.strides = None
    _incref(owner)
    view.obj = id(owner)  # an object's identity is its address
    return 0


_incref = ctypes.PYFUNCTYPE(None, ctypes.py_object)(("Py_IncRef", ctypes.pythonapi))
_GETBUFFER = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_void_p, ctypes.c_int)


def _checked(data: Any, address: int, flags: int) -> int:
    try:
        return _get(data, address, flags)
    except BaseException:  # the callback cannot raise, and must not report success
        return -1


_slot: Any = None


def buffer_slots() -> dict[int, int]:
    """The slots that make a heap type an exporter: none where `make_exporter` can do it."""
    global _slot
    if sys.version_info >= (3, 12):
        return {}
    _slot = _GETBUFFER(_checked)
    return {Py_bf_getbuffer: ctypes.cast(_slot, ctypes.c_void_p).value or 0}


def make_exporter(cls: Any) -> None:
    """Give a heap type made with `buffer_slots` the two methods of PEP 688, where the interpreter knows
    them."""
    if sys.version_info >= (3, 12):
        cls.__buffer__, cls.__release_buffer__ = _buffer, _release_buffer
