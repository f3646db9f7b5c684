"""Finding the layout of objects by looking: objects of known value are made and their memory is read back.

Each probe states what it expects, checks it on every one of its samples, and answers None when one differs.
What it expects comes from CPython's headers (Include/cpython/longintrepr.h, unicodeobject.h, bytesobject.h,
floatobject.h); nothing is read outside of the object looked at.
"""

from __future__ import annotations

import ctypes
import functools
import struct
import sys
from collections.abc import Callable
from typing import TypeVar

from .layout import BytesLayout, IntLayout, Layout, RefcountLayout, StrLayout, TupleLayout

#: ``read(address, size) -> bytes``; `address` is always that of an object.
Reader = Callable[[int, int], bytes]
T = TypeVar("T")

_FLAG = 1 << 2
_REFERENCES = 1000


def probe(read: Reader = ctypes.string_at) -> Layout:
    """Look at the running interpreter's objects through `read`.

    A probe whose expectation fails, or whose `read` raises or returns too little, switches its part of the
    `Layout` off and no other, save that without the type's offset nothing else is of use.
    """
    head = object.__basicsize__
    if sys.byteorder != "little" or struct.calcsize("P") != 8:
        return Layout(head)
    look = functools.partial(_attempt, read=read, head=head)
    immortal = bool(look(_immortal))
    refcount = None if immortal else look(_refcount)
    type_offset = look(_type_offset)
    if type_offset is None:
        # Stubs still make results, and so count references to constants.
        return Layout(head, immortal=immortal, refcount=refcount)
    return Layout(
        head,
        type_offset,
        float_offset=look(_float_offset),
        int_layout=look(_int_layout),
        str_layout=look(_str_layout),
        bytes_layout=look(_bytes_layout),
        tuple_layout=look(_tuple_layout),
        immortal=immortal,
        refcount=refcount,
        count_offset=look(_count_offset),
    )


def _attempt(find: Callable[[Reader, int], T | None], *, read: Reader, head: int) -> T | None:
    try:
        return find(read, head)
    except (IndexError, ValueError, struct.error, OSError):
        return None


def _word(memory: bytes, offset: int) -> int:
    return int(struct.unpack_from("<Q", memory, offset)[0])


class _Plain:
    """Any Python class will do."""


def _type_offset(read: Reader, head: int) -> int | None:
    samples: list[object] = [
        0,
        2**70,
        1.5,
        "text",
        "\u20ac",
        b"data",
        None,
        True,
        [],
        (),
        {},
        object(),
        _Plain(),
        len,
        _Plain,
    ]
    offset = head - 8
    found = all(_word(read(id(x), head), offset) == id(type(x)) for x in samples)
    return offset if found else None


def _float_offset(read: Reader, head: int) -> int | None:
    samples = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        5e-324,
        1.7976931348623157e308,
        float("inf"),
        float("-inf"),
        float("nan"),
    ]
    found = all(read(id(x), head + 8)[head:] == struct.pack("<d", x) for x in samples)
    return head if found else None


def _int_samples() -> list[int]:
    edges = [0, 1, 2, 5, 255, 256, 257, 1000]
    for bits in (15, 29, 30, 31, 32, 59, 60, 61, 62, 63, 64, 89, 90, 91):
        edges += [2**bits - 1, 2**bits, 2**bits + 1]
    return [sign * x for x in edges for sign in (1, -1)]


def _digits(value: int) -> list[int]:
    value = abs(value)
    digits = []
    while value:
        digits.append(value & (2**30 - 1))
        value >>= 30
    return digits


def _int_layout(read: Reader, head: int) -> IntLayout | None:
    if (sys.int_info.bits_per_digit, sys.int_info.sizeof_digit) != (30, 4):
        return None
    for layout, word_of in (
        (IntLayout(True, head, head + 8), _tagged),
        (IntLayout(False, head, head + 8), _sized),
    ):
        if all(_is_int(read, layout, word_of, x) for x in _int_samples()):
            return layout
    return None


def _tagged(value: int) -> int:
    sign = 1 if value == 0 else 2 if value < 0 else 0
    return len(_digits(value)) << 3 | sign


def _sized(value: int) -> int:
    count = len(_digits(value))
    return (-count if value < 0 else count) % 2**64


def _is_int(read: Reader, layout: IntLayout, word_of: Callable[[int], int], value: int) -> bool:
    digits = _digits(value)
    if layout.tagged and not digits:
        # Code for a compact int reads one digit without asking whether there is one.
        digits = [0]
    memory = read(id(value), layout.digits_offset + 4 * len(digits))
    word = _word(memory, layout.word_offset)
    if layout.tagged:
        # 3.14 marks small ints as immortal with this bit; no version gives it a meaning for the value.
        word &= ~_FLAG
    found = [
        int(struct.unpack_from("<I", memory, layout.digits_offset + 4 * i)[0]) for i in range(len(digits))
    ]
    return word == word_of(value) and found == digits


def _bytes_layout(read: Reader, head: int) -> BytesLayout | None:
    layout = BytesLayout(head, bytes.__basicsize__ - 1)
    samples = [b"", b"a", b"\0", b"ab\0cd", bytes(range(256)), b"x" * 1000]
    for sample in samples:
        end = layout.data_offset + len(sample)
        memory = read(id(sample), end + 1)
        if _word(memory, layout.size_offset) != len(sample) or memory[layout.data_offset :] != sample + b"\0":
            return None
    return layout


def _tuple_layout(read: Reader, head: int) -> TupleLayout | None:
    layout = TupleLayout(head, tuple.__basicsize__)
    samples: list[tuple[object, ...]] = [
        (),
        (1,),
        ("a", None),
        (object(), 2.5, b""),
        tuple(range(1000, 1020)),
    ]
    for sample in samples:
        memory = read(id(sample), layout.items_offset + 8 * len(sample))
        if _word(memory, layout.size_offset) != len(sample):
            return None
        if [_word(memory, layout.items_offset + 8 * i) for i in range(len(sample))] != [
            id(x) for x in sample
        ]:
            return None
    return layout


class _Text(str):
    """Instances of a subclass are never compact, which tells the bit for that from the others."""


def _ascii_samples() -> list[str]:
    made = ["".join(["not", " interned ", str(i)]) for i in range(3)]
    return ["", "a", "str", sys.intern("epsilon_foreign_probe"), "nul\0inside", "\x7f", "y" * 1000, *made]


_OTHER_SAMPLES = ("\xe9", "caf\xe9", "\x80", "\u20ac", "a\u0100", "\U0001f600", "z\U00010000")


def _str_layout(read: Reader, head: int) -> StrLayout | None:
    # length, hash, state, (3.11: wchar_t *), data; the empty string has one byte of data, its NUL.
    length_offset, state_offset, data_offset = head, head + 16, sys.getsizeof("") - 1

    def state(text: str) -> int:
        return int(struct.unpack_from("<I", read(id(text), state_offset + 4), state_offset)[0])

    # The bits of the state move from version to version, so they are found by what they tell apart.
    everywhere = functools.reduce(int.__and__, map(state, _ascii_samples()))
    not_ascii = functools.reduce(int.__or__, map(state, _OTHER_SAMPLES))
    not_compact = functools.reduce(int.__or__, [state(_Text(x)) for x in _ascii_samples() if x])
    ascii_bit, compact_bit = everywhere & ~not_ascii, everywhere & ~not_compact
    if ascii_bit.bit_count() != 1 or compact_bit.bit_count() != 1 or ascii_bit == compact_bit:
        return None
    for sample in _ascii_samples():
        memory = read(id(sample), data_offset + len(sample) + 1)
        if _word(memory, length_offset) != len(sample) or memory[data_offset:] != sample.encode() + b"\0":
            return None
    return StrLayout(state_offset, ascii_bit | compact_bit, length_offset, data_offset)


def _immortal(read: Reader, head: int) -> bool:
    """Do a thousand references leave no trace in None, True and False?"""
    for constant in (None, True, False):
        before = read(id(constant), head - 8)
        held = [constant] * _REFERENCES
        after = read(id(constant), head - 8)
        if len(before) != head - 8 or before != after or len(held) != _REFERENCES:
            return False
    return True


def _count_offset(read: Reader, head: int) -> int | None:
    if head != 16:
        return None
    for extra in (0, 1, 2, 10):
        subject = _Plain()
        held = [subject] * extra
        if int.from_bytes(read(id(subject), 4), "little") != 1 + len(held):
            return None
    return 0


def _refcount(read: Reader, head: int) -> RefcountLayout | None:
    if head != 16:
        return None
    subject = object()
    before = _word(read(id(subject), 8), 0)
    held = [subject] * _REFERENCES
    after = _word(read(id(subject), 8), 0)
    return RefcountLayout(0) if after - before == len(held) else None
