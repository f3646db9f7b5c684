"""The probes find the layout of this interpreter, and a wrong image of memory switches off just what it
shows."""

from __future__ import annotations

import ctypes
import errno
import random
import struct
import sys
from collections.abc import Callable

import pytest
from epsilon.foreign.backend.heaptype import slot_offset
from epsilon.foreign.backend.trampoline import cpython
from epsilon.foreign.backend.trampoline.cpython import Layout, probe

FREE_THREADED = bool(getattr(sys, "_is_gil_enabled", None)) and object.__basicsize__ > 16
LAYOUT = probe()


def object_at(address: int) -> object:
    return ctypes.cast(address, ctypes.py_object).value


def corrupting(kind: type, change: Callable[[bytes], bytes]) -> Callable[[int, int], bytes]:
    """A reader that shows instances of exactly `kind` with everything behind the head changed."""
    head = object.__basicsize__

    def read(address: int, size: int) -> bytes:
        memory = ctypes.string_at(address, size)
        if type(object_at(address)) is kind:
            memory = memory[:head] + change(memory[head:])
        return memory

    return read


def inverted(memory: bytes) -> bytes:
    return bytes(b ^ 0xFF for b in memory)


def shifted(memory: bytes) -> bytes:
    return bytes(8) + memory[:-8]


def test_every_inline_path_is_open_on_this_interpreter() -> None:
    assert LAYOUT.switched_off == ()
    assert LAYOUT.int_layout is not None
    assert LAYOUT.int_layout.tagged == (sys.version_info >= (3, 12))
    assert LAYOUT.immortal == (sys.version_info >= (3, 12))
    assert (LAYOUT.refcount is not None) == (sys.version_info < (3, 12))
    assert (LAYOUT.head_size, LAYOUT.type_offset) == ((32, 24) if FREE_THREADED else (16, 8))


@pytest.mark.parametrize("change", [inverted, shifted, lambda m: bytes(len(m)), lambda m: m[:-1]])
@pytest.mark.parametrize(
    ("kind", "path"),
    [(int, "int_layout"), (float, "float_offset"), (str, "str_layout"), (bytes, "bytes_layout")],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_wrong_image_switches_off_that_path_alone(
    kind: type, path: str, change: Callable[[bytes], bytes]
) -> None:
    found = probe(corrupting(kind, change))
    assert found.switched_off == (path,)
    assert found._replace(**{path: getattr(LAYOUT, path)}) == LAYOUT


def test_a_wrong_type_pointer_switches_everything_off() -> None:
    head = object.__basicsize__

    def read(address: int, size: int) -> bytes:
        memory = bytearray(ctypes.string_at(address, size))
        if len(memory) >= head:
            memory[head - 8] ^= 1
        return bytes(memory)

    found = probe(read)
    assert found == Layout(head, immortal=LAYOUT.immortal, refcount=LAYOUT.refcount)
    assert len(found.switched_off) == 6


def test_a_count_that_moves_is_not_taken_for_immortal() -> None:
    calls = iter(range(10**9))

    def read(address: int, size: int) -> bytes:
        memory = ctypes.string_at(address, size)
        if object_at(address) is None:
            memory = struct.pack("<I", next(calls)) + memory[4:]
        return memory

    found = probe(read)
    assert not found.immortal
    assert found.switched_off == ()
    assert found.refcount is None or not FREE_THREADED


@pytest.mark.parametrize("error", [OSError("no"), ValueError("no"), IndexError("no")])
def test_a_reader_that_fails_switches_everything_off(error: Exception) -> None:
    def read(address: int, size: int) -> bytes:
        raise error

    found = probe(read)
    assert found == Layout(object.__basicsize__)


def test_no_probe_reads_beyond_its_object() -> None:
    def read(address: int, size: int) -> bytes:
        assert size <= sys.getsizeof(object_at(address))
        return ctypes.string_at(address, size)

    assert probe(read) == LAYOUT


def decode_int(value: int) -> int:
    layout = LAYOUT.int_layout
    assert layout is not None
    (word,) = struct.unpack("<q", ctypes.string_at(id(value) + layout.word_offset, 8))
    count, negative = (word >> 3, word & 3 == 2) if layout.tagged else (abs(word), word < 0)
    digits = struct.unpack(f"<{count}I", ctypes.string_at(id(value) + layout.digits_offset, 4 * count))
    total = sum(digit << layout.digit_bits * i for i, digit in enumerate(digits))
    return -total if negative else total


def test_random_ints_decode_as_the_layout_says() -> None:
    rng = random.Random(1)
    for _ in range(5000):
        value = rng.getrandbits(rng.randrange(1, 130)) * rng.choice((1, -1))
        assert decode_int(value) == value


def test_a_compact_int_has_at_most_one_digit() -> None:
    layout = LAYOUT.int_layout
    assert layout is not None
    if not layout.tagged:
        pytest.skip("ints of this version count their digits with a sign")
    for value in (0, 1, -1, 2**30 - 1, -(2**30 - 1), 2**30, -(2**30), 2**60):
        (word,) = struct.unpack("<Q", ctypes.string_at(id(value) + layout.word_offset, 8))
        assert (word < layout.compact_below) == (abs(value) < 2**30)


def test_random_text_is_ascii_exactly_when_the_mask_says_so() -> None:
    layout = LAYOUT.str_layout
    assert layout is not None
    rng = random.Random(2)
    alphabets = ["abc\0\x7f", "a\xe9\xff", "a\u20ac", "a\U0001f600"]
    for _ in range(5000):
        text = "".join(rng.choices(rng.choice(alphabets), k=rng.randrange(20)))
        (state,) = struct.unpack("<I", ctypes.string_at(id(text) + layout.state_offset, 4))
        assert (state & layout.state_mask == layout.state_mask) == text.isascii()
        if text.isascii():
            assert ctypes.string_at(id(text) + layout.data_offset, len(text) + 1) == text.encode() + b"\0"


def test_symbols_are_the_addresses_of_what_they_name() -> None:
    make = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_long)(cpython.address("PyLong_FromLong"))
    assert make(-123456789) == -123456789
    assert cpython.address("_Py_NoneStruct") == id(None)
    for name in ("PyLong_Type", "PyUnicode_Type", "_Py_TrueStruct", "PyMemoryView_Type"):
        data = ctypes.c_char.in_dll(ctypes.pythonapi, name)
        assert cpython.address(name) == ctypes.addressof(data)


def test_functions_that_this_interpreter_must_have_are_there() -> None:
    for name, joined in cpython.FUNCTIONS.items():
        assert cpython.available(name) or joined > sys.version_info[:2], name
    assert cpython.available("PyObject_Vectorcall")


def test_names_are_for_listings() -> None:
    names = cpython.names()
    assert names[cpython.address("PyFloat_FromDouble")] == "PyFloat_FromDouble"
    assert names[id(None)] == "_Py_NoneStruct"


def test_an_unknown_symbol_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="_PyLong_AsInt"):
        cpython.address("_PyLong_AsInt")
    assert not cpython.available("_PyLong_AsInt")


def test_errno_lives_where_the_location_function_says() -> None:
    location = ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_int))(cpython.address(cpython.ERRNO_LOCATION))
    location()[0] = errno.EDOM
    assert location()[0] == errno.EDOM


class Slotted:
    __slots__ = ("__weakref__", "first", "second")


def test_the_offset_of_a_slot_is_where_its_object_is() -> None:
    instance = Slotted()
    instance.second = thing = object()
    offset = slot_offset(Slotted, "second")
    assert struct.unpack("<Q", ctypes.string_at(id(instance) + offset, 8))[0] == id(thing)
    assert offset != slot_offset(Slotted, "first")


def test_an_attribute_that_is_no_slot_has_no_offset() -> None:
    class Dynamic:
        pass

    with pytest.raises(LookupError, match=r"Dynamic\.name cannot be found"):
        slot_offset(Dynamic, "name")
