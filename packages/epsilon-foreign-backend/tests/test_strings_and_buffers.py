"""Memory by marshal: strings, bytes, buffers borrowed for a call, and NULL both ways."""

from __future__ import annotations

import array
import mmap

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import (
    INT32,
    INT64,
    POINTER,
    UINT64,
    VOID,
    Address,
    ArgumentTypeError,
    ArgumentValueError,
    Marshal,
    Parameter,
    borrow,
)

STRING = Parameter("text", Marshal.STRING)
BYTES = Parameter("data", Marshal.BYTES)
BUFFER = Parameter("data", Marshal.BUFFER)
WRITABLE = Parameter("data", Marshal.WRITABLE)


def checksum(data: bytes) -> int:
    total = len(data)
    for byte in data:
        total = (total * 31 + byte) % 2**64
    return total


@pytest.mark.parametrize(
    "text", ["", "plain", "h\xe9 \u20ac \U0001f40d", "\x01\x7f\x80\xff", "x" * 100_000, b"bytes \xff", None]
)
def test_a_string_arrives_as_utf8(native: Native, text: str | bytes | None) -> None:
    length = native("length", INT64, [POINTER], STRING)
    size = -1 if text is None else len(text.encode() if isinstance(text, str) else text)
    assert length(text) == size
    both = native("two_lengths", INT64, [POINTER, POINTER], Parameter("a", Marshal.STRING), STRING)
    assert both("\xe9", text) == 2000 + size


@pytest.mark.parametrize("text", ["\0", "a\0", "\0b", "a\0b" * 1000, b"\0", b"a\0b", "\xe9\0"])
def test_an_embedded_nul_raises(native: Native, text: str | bytes) -> None:
    with pytest.raises(ArgumentValueError, match=r"length\(\) argument 1 \('text'\): embedded NUL"):
        native("length", INT64, [POINTER], STRING)(text)


@pytest.mark.parametrize("text", ["\ud800", "ok \udfff", "\udcff" * 50])
def test_a_surrogate_raises(native: Native, text: str) -> None:
    with pytest.raises(ArgumentValueError, match="cannot be encoded as UTF-8: surrogates not allowed"):
        native("length", INT64, [POINTER], STRING)(text)


def test_a_string_result_is_str_or_none(native: Native) -> None:
    text = native("text", POINTER, [INT32], result_marshal=Marshal.STRING)
    assert [text(i) for i in range(4)] == [None, "", "plain", "h\xe9 \u20ac \U0001f40d"]
    with pytest.raises(UnicodeDecodeError):
        text(4)


def test_a_bytes_result_is_bytes_or_none(native: Native) -> None:
    text = native("text", POINTER, [INT32], result_marshal=Marshal.BYTES)
    assert [text(i) for i in (0, 1, 2, 4)] == [None, b"", b"plain", b"\xff\xfe!"]


def test_bytes_go_in_with_nuls_and_all(native: Native) -> None:
    total = native("checksum", UINT64, [POINTER, UINT64], BYTES)
    for data in (b"", b"\0", b"a\0b\xff", bytes(range(256)) * 50):
        assert total(data, len(data)) == checksum(data)
    assert native("is_null", INT32, [POINTER], BYTES)(None) == 1
    assert native("is_null", INT32, [POINTER], BYTES)(b"") == 0


@pytest.mark.parametrize("marshal", [Marshal.BUFFER, Marshal.WRITABLE])
def test_any_writable_buffer_serves(native: Native, marshal: Marshal) -> None:
    total = native("checksum", UINT64, [POINTER, UINT64], Parameter("data", marshal))
    with mmap.mmap(-1, 4096) as mapped:
        mapped[:3] = b"abc"
        for exporter in (bytearray(b"abc"), memoryview(bytearray(b"abc")), array.array("b", b"abc"), mapped):
            assert total(exporter, 3) == checksum(b"abc")
    assert native("is_null", INT32, [POINTER], Parameter("data", marshal))(None) == 1


def test_a_read_only_buffer_is_read_but_not_lent_for_writing(native: Native) -> None:
    total = native("checksum", UINT64, [POINTER, UINT64], BUFFER)
    assert total(b"abc", 3) == total(memoryview(b"abc"), 3) == checksum(b"abc")
    fill = native("fill", VOID, [POINTER, UINT64, INT32], WRITABLE)
    for exporter in (b"abc", memoryview(bytearray(b"abc")).toreadonly()):
        with pytest.raises(ArgumentTypeError, match="contiguous writable buffer"):
            fill(exporter, 3, 0)


def test_a_buffer_with_gaps_is_refused(native: Native) -> None:
    for symbol, detail in (("checksum", BUFFER), ("checksum", WRITABLE)):
        function = native(symbol, UINT64, [POINTER, UINT64], detail)
        with pytest.raises(ArgumentTypeError, match="contiguous"):
            function(memoryview(bytearray(b"abcdef"))[::2], 3)


def test_c_writes_into_the_object_itself(native: Native) -> None:
    fill = native("fill", VOID, [POINTER, UINT64, INT32], WRITABLE)
    data = bytearray(5)
    fill(data, 4, 0x41)
    assert data == b"AAAA\0"


def test_a_buffer_is_given_back_after_the_call(native: Native) -> None:
    fill = native("fill", VOID, [POINTER, UINT64, INT32], WRITABLE)
    data = bytearray(8)
    fill(data, 8, 1)
    data.append(1)  # a bytearray with exports refuses to grow
    with pytest.raises(ArgumentTypeError):
        fill(data, "eight", 1)
    data.append(1)
    with pytest.raises(ArgumentTypeError):
        fill(data, 8)
    data.append(1)


def test_a_converter_may_lend_an_address(native: Native) -> None:
    detail = Parameter("data", Marshal.OBJECT, lambda value: borrow(value.encode()))
    total = native("checksum", UINT64, [POINTER, UINT64], detail)
    assert total("abc", 3) == checksum(b"abc")


def test_an_address_keeps_what_it_points_to(native: Native) -> None:
    total = native("checksum", UINT64, [POINTER, UINT64])
    data = bytearray(b"abc")
    address = borrow(data)
    assert isinstance(address, Address)
    with pytest.raises(BufferError):
        data.append(1)
    assert total(address, 3) == checksum(b"abc")
    del address
    data.append(1)


def test_pointers_are_integers_and_none(native: Native) -> None:
    same = native("same", POINTER, [POINTER])
    assert same(None) is None
    assert same(0) is None
    assert same(12345) == 12345
    assert same(2**64 - 1) == 2**64 - 1
