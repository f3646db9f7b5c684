"""Borrowing the memory of any object with the buffer protocol, read-only ones included.

ctypes' ``from_buffer`` refuses read-only exporters, so `Py_buffer` is taken through the C-API itself
(https://docs.python.org/3/c-api/buffer.html; part of the stable ABI since 3.11).
"""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar

from .binding import Address

PyBUF_SIMPLE = 0
PyBUF_WRITABLE = 1


class Py_buffer(ctypes.Structure):
    """`Py_buffer` as the stable ABI fixes it (Include/pybuffer.h)."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    )


_get = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(Py_buffer), ctypes.c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release = ctypes.PYFUNCTYPE(None, ctypes.POINTER(Py_buffer))(("PyBuffer_Release", ctypes.pythonapi))


class Borrowed:
    """One exported buffer: `address`, `nbytes`, `readonly`; released when this object dies or on
    `release`.
    """

    __slots__ = ("_view", "address", "nbytes", "readonly")

    # An attribute, because module globals may be gone when the last buffers are released.
    _give_back: ClassVar[Any] = _release

    def __init__(self, exporter: object, *, writable: bool = False) -> None:
        view = Py_buffer()
        self._view: Py_buffer | None = None
        flags = PyBUF_WRITABLE if writable else PyBUF_SIMPLE
        if _get(exporter, view, flags):  # raises BufferError, TypeError
            _refuse(exporter, flags)
        self._view = view
        self.address: int = view.buf or 0
        self.nbytes: int = view.len
        self.readonly: bool = bool(view.readonly)

    def release(self) -> None:
        """Give the buffer back; its address must not be used any more."""
        view, self._view = self._view, None
        if view is not None:
            self._give_back(view)

    def __del__(self) -> None:
        self.release()


def _refuse(exporter: Any, flags: int) -> None:
    """Raise what a refusal without an exception means: before 3.12 our own slot cannot raise (see `exporting`)."""
    if hasattr(exporter, "_export"):
        exporter._export(flags)
        exporter._unexport()
    raise BufferError(f"{type(exporter).__name__} refuses its memory")


def borrow(exporter: object, *, writable: bool = False) -> Address:
    """The address of `exporter`'s memory; the export lasts as long as the returned `Address`.

    Raises TypeError when `exporter` has no buffer, BufferError when it is not contiguous or not writable.
    """
    held = Borrowed(exporter, writable=writable)
    return Address(held.address, held)
