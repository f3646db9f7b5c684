"""Every kind of argument, on the path that the stub inlines and on the one that it leaves to the fallback."""

from __future__ import annotations

import array
import ctypes
import math
import mmap
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    POINTER,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    VOID,
    AbiType,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    Binding,
    Marshal,
    Parameter,
    Signature,
    get_backend,
)
from epsilon.foreign.backend.trampoline.backend import TrampolineBackend
from watching import Watched

INTEGERS = (INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64)
#: Around every limit of a C type and of CPython's digits of 30 bits: one, two, three digits, and more.
EDGES = sorted(
    {
        sign * (2**bits + d)
        for bits in (0, 1, 7, 8, 15, 16, 29, 30, 31, 32, 59, 60, 61, 62, 63, 64, 89, 90, 120)
        for d in (-1, 0, 1)
        for sign in (1, -1)
    }
)
Bind = Callable[..., Watched]


class Int(int):
    """An int that is not exactly one."""


class Index:
    """Has an index and is no int."""

    def __index__(self) -> int:
        return 5


class Text(str):
    """A str that is not exactly one."""


class Data(bytes):
    """A bytes that is not exactly one."""


@pytest.fixture(params=["direct", "gil released"])
def bind(request: pytest.FixtureRequest, library: Library) -> Bind:
    """Binds a function of the C library behind a stub of either kind."""
    backend = get_backend("trampoline")
    assert isinstance(backend, TrampolineBackend)

    def bound(symbol: str, result: AbiType, *parameters: AbiType | Marshal, **more: Any) -> Watched:
        types = [p if isinstance(p, AbiType) else POINTER for p in parameters]
        marshals = [Parameter(marshal=p) if isinstance(p, Marshal) else Parameter() for p in parameters]
        binding = Binding(
            Signature(result, types), symbol, tuple(marshals), release_gil=request.param != "direct", **more
        )
        return Watched(backend, library.address(symbol), binding)

    return bound


# Integers, bools, floats, addresses


@pytest.mark.parametrize("type", INTEGERS, ids=lambda t: t.name)
def test_every_int_that_fits_is_inline_and_no_other_passes(bind: Bind, type: AbiType) -> None:
    echo = bind(f"echo_{type.name}", type, type)
    low, high = type.bounds
    for value in (*EDGES, low, high, low - 1, high + 1):
        if low <= value <= high:
            assert echo.inline(value) == value
        else:
            with pytest.raises(ArgumentRangeError, match="does not fit"):
                echo.slow(value)


@pytest.mark.parametrize("type", INTEGERS, ids=lambda t: t.name)
def test_a_bool_is_an_int(bind: Bind, type: AbiType) -> None:
    echo = bind(f"echo_{type.name}", type, type)
    results = [echo.inline(True), echo.inline(False)]
    assert results == [1, 0]
    assert all(r is not True and r is not False for r in results)


@pytest.mark.parametrize("type", INTEGERS, ids=lambda t: t.name)
def test_what_has_an_index_goes_the_slow_way(bind: Bind, type: AbiType) -> None:
    echo = bind(f"echo_{type.name}", type, type)
    assert echo.slow(Int(7)) == 7
    assert echo.slow(Index()) == 5
    for other in (1.0, "1", None, b"1", 1j):
        with pytest.raises(ArgumentTypeError):
            echo.slow(other)


@pytest.mark.parametrize("type", [INT8, INT16, INT32, UINT8, UINT16, UINT32], ids=lambda t: t.name)
def test_narrow_integers_fill_their_register_as_compilers_expect(bind: Bind, type: AbiType) -> None:
    widened = bind("low_word", UINT32, type)
    for value in type.bounds:
        assert widened.inline(value) == value % 2**32


def test_bools_are_inline_and_integers_are_checked(bind: Bind) -> None:
    echo = bind("echo_bool", BOOL, BOOL)
    assert echo.inline(True) is True
    assert echo.inline(False) is False
    assert echo.slow(1) is True
    assert echo.slow(Int(0)) is False
    with pytest.raises(ArgumentRangeError):
        echo.slow(2)
    with pytest.raises(ArgumentTypeError):
        echo.slow(1.0)


FLOATS = (0.0, -0.0, 1.5, -1e-300, 5e-324, 1.7976931348623157e308, math.inf, -math.inf)


def test_floats_are_inline(bind: Bind) -> None:
    echo = bind("echo_double", DOUBLE, DOUBLE)
    for value in FLOATS:
        result = echo.inline(value)
        assert (result, math.copysign(1, result)) == (value, math.copysign(1, value))
    assert math.isnan(echo.inline(math.nan))


def test_floats_are_rounded_to_single_precision(bind: Bind) -> None:
    echo = bind("echo_float", FLOAT, FLOAT)
    for value in (0.1, -2.5, 1e-45, 16777217.0):
        assert echo.inline(value) == struct.unpack("<f", struct.pack("<f", value))[0]
    assert echo.inline(1e300) == math.inf


@pytest.mark.parametrize("value", [v for v in EDGES if abs(v) < 2**64 + 2])
def test_ints_become_doubles_as_python_converts_them(bind: Bind, value: int) -> None:
    echo = bind("echo_double", DOUBLE, DOUBLE)
    for near in (value, value * 3 // 2, value + 1025):
        served = echo.inline if -(2**63) <= near < 2**63 else echo.slow
        assert served(near) == float(near)


def test_what_is_no_float_goes_the_slow_way(bind: Bind) -> None:
    echo = bind("echo_double", DOUBLE, DOUBLE)

    class Float(float):
        pass

    assert echo.slow(Float(2.5)) == 2.5
    assert echo.slow(Index()) == 5.0
    assert echo.inline(True) == 1.0
    with pytest.raises(ArgumentRangeError):
        echo.slow(10**400)
    for other in ("1", None, 1j):
        with pytest.raises(ArgumentTypeError):
            echo.slow(other)


def test_addresses_are_inline_up_to_the_last(bind: Bind) -> None:
    echo = bind("echo_pointer", POINTER, POINTER)
    assert echo.inline(None) is None
    assert echo.inline(0) is None
    for value in (1, 2**30, 2**47 - 1, 2**60, 2**63, 2**64 - 1):
        assert echo.inline(value) == value
    assert echo.inline(True) == 1
    assert echo.slow(Index()) == 5
    for value in (-1, 2**64, -(2**63), 2**90):
        with pytest.raises(ArgumentRangeError):
            echo.slow(value)
    with pytest.raises(ArgumentTypeError):
        echo.slow(1.0)


# Text and bytes

TEXTS = ("", "plain", "x" * 5000, "h\xe9llo", "\x80", "\u20ac uro", "\U0001f40d snake", "a\x7f\u0800\uffff")


def test_text_of_every_width_is_inline(bind: Bind) -> None:
    length, same = bind("length", INT64, Marshal.STRING), bind("same", POINTER, Marshal.STRING)
    for text in TEXTS:
        for _ in range(2):  # the second time CPython may have kept the UTF-8
            assert length.inline(text) == len(text.encode())
        assert ctypes.string_at(same.inline(text)) == text.encode()
        assert length.inline(text.encode()) == len(text.encode())
    assert length.inline(None) == -1


@pytest.mark.parametrize("kind", ["ascii", "h\xe9", "\u20ac", "\U0001f40d"])
def test_a_nul_inside_is_refused(bind: Bind, kind: str) -> None:
    length = bind("length", INT64, Marshal.STRING)
    for text in (f"{kind}\0", f"\0{kind}", f"{kind}\0{kind}"):
        for value in (text, text.encode()):
            with pytest.raises(ArgumentValueError, match="embedded NUL"):
                length.slow(value)


def test_surrogates_are_refused(bind: Bind) -> None:
    length = bind("length", INT64, Marshal.STRING)
    for text in ("\ud800", "a\udcff\u20ac"):
        with pytest.raises(ArgumentValueError, match="surrogates"):
            length.slow(text)


def test_other_text_goes_the_slow_way(bind: Bind) -> None:
    length = bind("length", INT64, Marshal.STRING)
    assert length.slow(Text("sub\u20ac")) == 6
    assert length.slow(Data(b"sub")) == 3
    for other in (bytearray(b"x"), memoryview(b"x"), 1, 1.0, ["x"]):
        with pytest.raises(ArgumentTypeError):
            length.slow(other)


def test_two_texts_do_not_disturb_each_other(bind: Bind) -> None:
    both = bind("two_lengths", INT64, Marshal.STRING, Marshal.STRING)
    for first in ("", "abc", "\xe9", None):
        for second in ("\u20ac", b"12", None):
            one = -1 if first is None else len(first.encode())
            other = -1 if second is None else len(second.encode() if isinstance(second, str) else second)
            assert both.inline(first, second) == 1000 * one + other


def test_bytes_are_inline_with_whatever_they_hold(bind: Bind) -> None:
    checksum = bind("checksum", UINT64, Marshal.BYTES, UINT64)
    for data in (b"", b"data", b"nul\0inside\0", bytes(range(256)) * 20):
        wanted = len(data)
        for byte in data:
            wanted = (wanted * 31 + byte) % 2**64
        assert checksum.inline(data, len(data)) == wanted
        assert checksum.slow(Data(data), len(data)) == wanted
    assert checksum.inline(None, 0) == 0
    for other in ("text", bytearray(b"x"), 1):
        with pytest.raises(ArgumentTypeError):
            checksum.slow(other, 1)


# Buffers


def exporters() -> Iterator[Any]:
    """Writable objects with a buffer of 16 zero bytes."""
    yield bytearray(16)
    yield memoryview(bytearray(16))
    yield memoryview(bytearray(32))[8:24]
    yield array.array("d", [0.0, 0.0])
    yield (ctypes.c_char * 16)()
    yield mmap.mmap(-1, 16)


def test_the_memory_of_any_buffer_is_lent_inline(bind: Bind) -> None:
    fill = bind("fill", VOID, Marshal.WRITABLE, UINT64, INT32)
    checksum = bind("checksum", UINT64, Marshal.BUFFER, UINT64)
    for exporter in exporters():
        fill.inline(exporter, 16, 0x5A)
        assert memoryview(exporter).tobytes() == b"\x5a" * 16
        assert checksum.inline(exporter, 16) == checksum.inline(b"\x5a" * 16, 16)
        assert checksum.inline(memoryview(exporter).toreadonly(), 16) == checksum.inline(b"\x5a" * 16, 16)
    assert checksum.inline(None, 0) == 0
    fill.inline(None, 0, 0)


def test_a_lent_buffer_is_given_back(bind: Bind) -> None:
    fill = bind("fill", VOID, Marshal.WRITABLE, UINT64, INT32)
    data = bytearray(16)
    fill.inline(data, 16, 1)
    data.append(2)  # BufferError while anything is exported
    with pytest.raises(ArgumentTypeError):
        fill.slow(data, "sixteen", 1)
    data.append(3)


def test_what_lends_no_memory_is_refused(bind: Bind) -> None:
    checksum = bind("checksum", UINT64, Marshal.BUFFER, UINT64)
    fill = bind("fill", VOID, Marshal.WRITABLE, UINT64, INT32)
    released = memoryview(bytearray(4))
    released.release()
    for function, arguments in ((checksum, (4,)), (fill, (4, 0))):
        for other in ("text", 4, 1.5, [1], object()):
            with pytest.raises(ArgumentTypeError):
                function.slow(other, *arguments)
        with pytest.raises(ArgumentTypeError, match="contiguous"):
            function.slow(memoryview(bytearray(16))[::2], *arguments)
        with pytest.raises(ValueError, match="released"):
            function.slow(released, *arguments)
    for readonly in (b"constant", memoryview(b"constant")):
        with pytest.raises(ArgumentTypeError, match="writable"):
            fill.slow(readonly, 1, 0)


@pytest.mark.parametrize("bad", range(4))
def test_a_failure_in_the_middle_gives_every_buffer_back(bind: Bind, bad: int) -> None:
    marshals = [Marshal.BUFFER, Marshal.WRITABLE, Marshal.BUFFER, Marshal.STRING]
    first = bind("is_null", INT32, *marshals)
    buffers = [bytearray(8), bytearray(8), bytearray(8)]
    assert first.inline(*buffers, "text") == 0
    arguments: list[Any] = [*buffers, "text"]
    arguments[bad] = 3.5
    with pytest.raises(ArgumentTypeError, match=f"argument {bad + 1}"):
        first.slow(*arguments)
    for buffer in buffers:
        buffer.append(1)
        del buffer[-1]


def test_a_buffer_is_given_back_when_finish_raises(bind: Bind) -> None:
    def finish(result: Any) -> Any:
        raise RuntimeError("finished")

    fill = bind("fill", VOID, Marshal.WRITABLE, UINT64, INT32, finish=finish)
    data = bytearray(4)
    with pytest.raises(RuntimeError, match="finished"):
        fill.inline(data, 4, 1)
    data.append(1)


# Arguments that are not one for each parameter


def test_keywords_defaults_and_wrong_numbers_go_the_slow_way(bind: Bind) -> None:
    add = bind("add", INT64, INT64, INT64)
    for arguments in ((), (1,), (1, 2, 3)):
        with pytest.raises(ArgumentTypeError, match="argument"):
            add.slow(*arguments)
    assert add.inline(1, 2) == 3


def test_the_exception_of_an_argument_passes_through(bind: Bind) -> None:
    class Bad:
        def __index__(self) -> int:
            raise ZeroDivisionError("mine")

    add = bind("add", INT64, INT64, INT64)
    with pytest.raises(ZeroDivisionError, match="mine"):
        add.slow(1, Bad())


@pytest.mark.parametrize("symbol", ["whole_register", "whole_register_true", "whole_register_false"])
def test_rubbish_above_a_narrow_result_is_ignored(bind: Bind, symbol: str) -> None:
    whole = {"whole_register": 0xA1, "whole_register_true": 1, "whole_register_false": 0}[symbol]
    bits = 0xDEADBEEFCAFEF000 + whole
    for type in INTEGERS:
        wanted = int.from_bytes((bits % 2 ** (8 * type.size)).to_bytes(type.size, "little"), "little",
                                signed=type.name.startswith("int"))  # fmt: skip
        assert bind(symbol, type).inline() == wanted
    if symbol != "whole_register":
        assert bind(symbol, BOOL).inline() is bool(whole)
