"""Heap types from a specification, made at run time: `PyType_FromSpecWithBases` through ctypes.

https://docs.python.org/3/c-api/type.html#creating-heap-allocated-types and
https://docs.python.org/3/c-api/structures.html#c.PyMemberDef; both structures are part of the stable ABI.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

WORD = 8
"""Bytes in a machine word: stubs exist for 64-bit processors only."""

HAVE_VECTORCALL = 1 << 11
BASETYPE = 1 << 10
_TP_MEMBERS = 72
_T_ULONGLONG = 18
_T_PYSSIZET = 19
_READONLY = 1


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("value", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class Member(NamedTuple):
    """One C member of the type's instances.

    `word` members are unsigned 64-bit integers that Python may read and set; the others are the constants
    that the type machinery looks for by name, such as ``__vectorcalloffset__``.
    """

    name: str
    offset: int
    word: bool = True


#: The type machinery keeps pointers into these: names of types and members, arrays of members.
_alive: list[object] = []

# Prototypes of our own: argument types set on `ctypes.pythonapi` would be seen by everybody.
_from_spec: Any = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p)(
    ("PyType_FromSpecWithBases", ctypes.pythonapi)
)


def make_type(
    name: str,
    size: int,
    members: list[Member],
    *,
    flags: int = BASETYPE,
    base: type | None = None,
    slots: dict[int, int] | None = None,
) -> type:
    """A heap type whose instances have `size` bytes (0: as many as the base's) with these members.

    `name` is dotted, module first; `slots` maps slot numbers of typeslots.h to function addresses. Raises
    what CPython raises for a specification it refuses (SystemError, TypeError).
    """
    table = (_Member * (len(members) + 1))()
    for row, member in zip(table, members, strict=False):
        row.name = member.name.encode()
        row.type = _T_ULONGLONG if member.word else _T_PYSSIZET
        row.offset = member.offset
        row.flags = 0 if member.word else _READONLY
    entries = {_TP_MEMBERS: ctypes.addressof(table), **(slots or {})}
    slot_table = (_Slot * (len(entries) + 1))(*(_Slot(number, value) for number, value in entries.items()))
    spec = _Spec(name.encode(), size, 0, flags, slot_table)
    _alive.extend((table, slot_table, spec))
    bases = (base,) if base is not None else None
    made: type = _from_spec(ctypes.addressof(spec), id(bases) if bases else None)
    return made


def slot_offset(cls: type, name: str) -> int:
    """Where an instance keeps the object of a member of ``__slots__``, in bytes from its address.

    Found by storing an object there and looking for its address. Raises LookupError unless it shows in
    exactly one place and moves with the attribute.
    """
    instance: object = object.__new__(cls)
    found = _places_of(instance, name, object()) & _places_of(instance, name, object())
    if len(found) != 1:
        raise LookupError(f"{cls.__name__}.{name} cannot be found in memory")
    (offset,) = found
    delattr(instance, name)
    if _words(instance)[offset // WORD]:
        raise LookupError(f"{cls.__name__}.{name} does not become NULL when it is deleted")
    return offset


def _places_of(instance: object, name: str, value: object) -> set[int]:
    setattr(instance, name, value)
    return {i * WORD for i, word in enumerate(_words(instance)) if word == id(value)}


def _words(instance: object) -> list[int]:
    count = type(instance).__basicsize__ // WORD
    return list((ctypes.c_uint64 * count).from_address(id(instance)))
