"""The suite's structs and functions by ctypes.

A struct may be given where ``POINTER(struct)`` is declared
(https://docs.python.org/3/library/ctypes.html#type-conversions).
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from ...contestant import Gil
from ...peers.ctypes_peer import open_library
from .kit import Functions, Kit, Making
from .operations import BLOCK, BYTES, ENTRY, LENGTH, POINT


class Point(ctypes.Structure):
    """8 bytes."""

    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_int))


class Entry(ctypes.Structure):
    """16 bytes."""

    _fields_ = (("count", ctypes.c_int), ("amount", ctypes.c_double))


class Block(ctypes.Structure):
    """40 bytes."""

    _fields_ = (
        ("a", ctypes.c_double), ("b", ctypes.c_double), ("c", ctypes.c_long), ("d", ctypes.c_long),
        ("e", ctypes.c_int), ("f", ctypes.c_int),
    )  # fmt: skip


_Numbers = ctypes.c_int * LENGTH
_Bytes = ctypes.c_char * BYTES


def kit() -> Kit:
    """Data without calls."""
    return Kit(
        entry=Entry,
        numbers=_Numbers,
        pointer=lambda: (ctypes.cast(_Numbers(), ctypes.POINTER(ctypes.c_int)), None),
        point=Making("make(x, y)", {"make": Point}),
        memory=Making("Bytes()", {"Bytes": _Bytes}),
    )


def functions(path: Path, gil: Gil) -> Functions:
    """The functions, with ``argtypes`` and ``restype``."""
    library = open_library(path, gil)
    point = Point(*POINT)
    return Functions(
        _bind(library["swap_point"], Point, Point),
        _bind(library["step_entry"], Entry, Entry),
        _bind(library["swap_block"], Block, Block),
        _bind(library["add_point"], ctypes.c_int, ctypes.POINTER(Point)),
        point=point,
        entry=Entry(*ENTRY),
        block=Block(*BLOCK),
        lent=point,
        pointer=ctypes.pointer(point),
    )


def _bind(function: Any, result: Any, parameter: Any) -> Any:
    function.restype, function.argtypes = result, [parameter]
    return function
