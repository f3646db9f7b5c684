"""Heap types with raw machine words, made at run time by CPython's own `PyType_FromSpec`.

An instance is the base's struct, then 64-bit words that hold no references, then raw bytes that Python does
not see. Each word is an attribute (a member of type unsigned long long), so Python code and machine code work
on the same bytes. Python subclasses add object references with ``__slots__``; CPython then traverses, clears
and frees them. https://docs.python.org/3/c-api/type.html#creating-heap-allocated-types (stable ABI since 3.3)
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping, Sequence
from typing import Any

WORD = 8  # bytes

Py_T_ULONGLONG = 18  # Include/descrobject.h; T_ULONGLONG of structmember.h before 3.12
Py_TPFLAGS_BASETYPE = 1 << 10  # Include/object.h
#: Slot numbers of Include/typeslots.h, part of the stable ABI.
Py_bf_getbuffer = 1
Py_tp_doc = 56
Py_tp_members = 72


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("function", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )


_from_spec = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Spec), ctypes.py_object)(
    ("PyType_FromSpecWithBases", ctypes.pythonapi)
)
#: A type's members point into its spec (3.11), and its slots at functions: none of it is ever freed.
_kept: list[object] = []


def heap_type(
    name: str,
    *,
    base: type = object,
    words: Sequence[str] = (),
    extra: int = 0,
    slots: Mapping[int, int] | None = None,
    doc: str = "",
) -> Any:
    """A new type: `base`'s instance struct, one word for each name in `words`, then `extra` bytes.

    Words and bytes start as zero. The first word is at ``base.__basicsize__`` bytes from the object's
    address. `slots` are further slots by number. The type may be subclassed and lives for ever.
    """
    start = base.__basicsize__
    members = (_Member * (len(words) + 1))()
    for index, word in enumerate(words):
        members[index] = _Member(word.encode(), Py_T_ULONGLONG, start + WORD * index, 0, None)
    text = ctypes.create_string_buffer(doc.encode())
    table = {Py_tp_doc: ctypes.addressof(text), **(slots or {})}
    if words:
        table[Py_tp_members] = ctypes.addressof(members)
    array = (_Slot * (len(table) + 1))(*[_Slot(number, address) for number, address in table.items()])
    spec = _Spec(name.encode(), start + WORD * len(words) + extra, 0, Py_TPFLAGS_BASETYPE, array)
    _kept.append((members, text, array, spec))
    return _from_spec(spec, (base,))


def word_offsets(base: type, words: Sequence[str]) -> tuple[int, ...]:
    """Where the words of a type made from `base` lie, in bytes from the object's address."""
    return tuple(base.__basicsize__ + WORD * index for index in range(len(words)))


#: Room that `with_storage` starts at: what an object's address is a multiple of.
OBJECT_ALIGNMENT = 8


@functools.cache
def with_storage(base: type, size: int) -> tuple[Any, int]:
    """A subclass of `base` whose instances end in `size` zeroed bytes, and the offset of these bytes in them.

    They are aligned as objects are: to 8 bytes at least.
    """
    offset = -(-base.__basicsize__ // OBJECT_ALIGNMENT) * OBJECT_ALIGNMENT
    name = f"{base.__module__}.{base.__name__}_{size}"
    made = heap_type(name, base=base, extra=offset - base.__basicsize__ + size, doc=base.__doc__ or "")
    return made, offset


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
