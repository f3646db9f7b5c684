"""Addresses of what a stub calls or compares with: the C-API, its singletons and types, and the C library.

But for those of `OPTIONAL`, only functions of CPython's stable ABI are offered
(https://docs.python.org/3/c-api/stable.html; the version that each joined it is in `FUNCTIONS`). An interpreter older
than that version may still export a function with the same prototype, as 3.11 does `PyObject_Vectorcall`; `available`
tells.
"""

from __future__ import annotations

import ctypes
import sys
from types import FunctionType
from typing import Any

#: Name -> the version whose stable ABI it joined. Doc/data/stable_abi.dat of CPython is the source.
FUNCTIONS: dict[str, tuple[int, int]] = {
    "PyBool_FromLong": (3, 2),
    "PyBuffer_Release": (3, 11),
    "PyBytes_AsString": (3, 2),
    "PyBytes_FromString": (3, 2),
    "PyBytes_FromStringAndSize": (3, 2),
    "PyBytes_Size": (3, 2),
    "PyDict_GetItemWithError": (3, 2),
    "PyDict_SetItem": (3, 2),
    "PyErr_Clear": (3, 2),
    "PyErr_Fetch": (3, 2),
    "PyErr_GetRaisedException": (3, 12),
    "PyErr_NormalizeException": (3, 2),
    "PyErr_Occurred": (3, 2),
    "PyErr_Restore": (3, 2),
    "PyErr_SetRaisedException": (3, 12),
    "PyErr_SetString": (3, 2),
    "PyErr_WriteUnraisable": (3, 2),
    "PyEval_GetFrame": (3, 2),
    "PyEval_RestoreThread": (3, 2),
    "PyEval_SaveThread": (3, 2),
    "PyException_GetTraceback": (3, 2),
    "PyException_SetTraceback": (3, 2),
    "PyFloat_AsDouble": (3, 2),
    "PyFloat_FromDouble": (3, 2),
    "PyGILState_Ensure": (3, 2),
    "PyGILState_GetThisThreadState": (3, 2),
    "PyGILState_Release": (3, 2),
    "PyList_Append": (3, 2),
    "PyList_SetSlice": (3, 2),
    "PyList_Size": (3, 2),
    "PyLong_AsLong": (3, 2),
    "PyLong_AsLongLong": (3, 2),
    "PyLong_AsUnsignedLongLong": (3, 2),
    "PyLong_AsUnsignedLongLongMask": (3, 2),
    "PyLong_FromLong": (3, 2),
    "PyLong_FromLongLong": (3, 2),
    "PyLong_FromUnsignedLongLong": (3, 2),
    "PyObject_GetAttr": (3, 2),
    "PyObject_GetBuffer": (3, 11),
    "PyObject_Type": (3, 2),
    "PyObject_Vectorcall": (3, 12),
    "PyThreadState_GetDict": (3, 2),
    "PyTuple_GetItem": (3, 2),
    "PyType_GenericAlloc": (3, 2),
    "PyUnicode_AsUTF8AndSize": (3, 10),
    "PyUnicode_DecodeUTF8": (3, 2),
    "PyUnicode_FromString": (3, 2),
    "PyUnicode_FromStringAndSize": (3, 2),
    "Py_DecRef": (3, 2),
    "Py_IncRef": (3, 2),
    "Py_IsInitialized": (3, 2),
}

#: Not in the stable ABI, so stubs do without where it is missing: the names it goes by.
OPTIONAL = {
    # https://docs.python.org/3/c-api/init.html#c.PyThreadState_GetUnchecked, public from 3.13 on
    "PyThreadState_GetUnchecked": ("PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet"),
}

#: Exported data whose address is the object: these are ``id()`` of what Python code can name.
OBJECTS: dict[str, object] = {
    "PyBool_Type": bool,
    "PyByteArray_Type": bytearray,
    "PyBytes_Type": bytes,
    "PyExc_TypeError": TypeError,
    "PyFloat_Type": float,
    "PyFunction_Type": FunctionType,
    "PyLong_Type": int,
    "PyMemoryView_Type": memoryview,
    "PyUnicode_Type": str,
    "_Py_FalseStruct": False,
    "_Py_NoneStruct": None,
    "_Py_TrueStruct": True,
}

#: Where errno lives, by C library: glibc and musl, Bionic, the BSDs and macOS. ``int *f(void)``.
_ERRNO_LOCATIONS = ("__errno_location", "__errno", "__error")
ERRNO_LOCATION = "errno_location"

LIBC_FUNCTIONS = ("memchr", "memcpy", "pthread_self", "strlen")

_resolved: dict[str, int] = {}


def address(name: str) -> int:
    """The address of a function of `FUNCTIONS`, `OPTIONAL` or `LIBC_FUNCTIONS`, of `ERRNO_LOCATION`, or of `OBJECTS`.

    Raises LookupError for a name that is none of these, or that this interpreter does not export.
    """
    found = _resolved.get(name)
    if found is None:
        found = _resolved[name] = _resolve(name)
    return found


def available(name: str) -> bool:
    """Does this interpreter have it? Functions that joined after 3.11 may be missing."""
    try:
        address(name)
    except LookupError:
        return False
    return True


def own_state() -> bool | None:
    """Does PyThreadState_GetUnchecked answer for the calling thread, as from 3.12 on, and not for the one that has the
    GIL? None where there is no such function."""
    return sys.version_info >= (3, 12) if available("PyThreadState_GetUnchecked") else None


def names() -> dict[int, str]:
    """Address -> name of everything `address` knows and this interpreter has: for listings."""
    known = [*FUNCTIONS, *OPTIONAL, *LIBC_FUNCTIONS, *OBJECTS, ERRNO_LOCATION]
    return {address(name): name for name in known if available(name)}


def _resolve(name: str) -> int:
    if name in OBJECTS:
        # In CPython the identity of an object is its address.
        return id(OBJECTS[name])
    if name in FUNCTIONS:
        return _export(ctypes.pythonapi, name)
    if name in OPTIONAL:
        return _first_export(ctypes.pythonapi, OPTIONAL[name])
    if name in LIBC_FUNCTIONS:
        return _export(_process(), name)
    if name == ERRNO_LOCATION:
        return _first_export(_process(), _ERRNO_LOCATIONS)
    raise LookupError(f"{name!r} is not among the symbols that stubs may use")


def _first_export(library: Any, names: tuple[str, ...]) -> int:
    for name in names:
        if hasattr(library, name):
            return _export(library, name)
    raise LookupError(f"none of {', '.join(names)} is exported here")


def _process() -> Any:
    return ctypes.CDLL(None)


def _export(library: Any, name: str) -> int:
    try:
        function = getattr(library, name)
    except AttributeError:
        raise LookupError(f"{name} is not exported by Python {sys.version.split()[0]}") from None
    return ctypes.cast(function, ctypes.c_void_p).value or 0
