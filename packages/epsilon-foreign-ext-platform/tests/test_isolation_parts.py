"""The parts of isolation by themselves: values as bytes, memory in pieces, the channel, thunks, unwinding."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
from typing import Any

import pytest
from epsilon.foreign import backend as abi
from epsilon.foreign.backend import Marshal, window
from epsilon.foreign.ext.platform.isolation import thunks
from epsilon.foreign.ext.platform.isolation.channel import BOX, HEADER, Channel, Kind, ProtocolError
from epsilon.foreign.ext.platform.isolation.codec import Codec
from epsilon.foreign.ext.platform.isolation.frames import caller
from epsilon.foreign.ext.platform.isolation.heap import Heap
from epsilon.foreign.ext.platform.isolation.libraries import Libraries
from epsilon.foreign.ext.platform.isolation.mapping import Mapping, beginning, is_code, mapping_at, mappings
from epsilon.foreign.ext.platform.isolation.region import Region
from epsilon.foreign.ext.platform.isolation.report import Report
from epsilon.foreign.ext.platform.isolation.session import Life
from epsilon.foreign.ext.platform.isolation.unwinding import Cursor, Tables, UnwindError
from hypothesis import given, settings
from hypothesis import strategies as st
from platform_support.isolating import linux

pytestmark = [pytest.mark.once, linux]

PAIR = abi.aggregate(16, 8, (abi.Field(0, abi.INT64), abi.Field(8, abi.DOUBLE)), "pair")
#: A type and a marshal -> its canonical values.
VALUES: dict[tuple[Any, Marshal], Any] = {
    (abi.BOOL, Marshal.VALUE): st.booleans(),
    (abi.INT8, Marshal.VALUE): st.integers(-128, 127),
    (abi.INT64, Marshal.VALUE): st.integers(-(2**63), 2**63 - 1),
    (abi.UINT64, Marshal.VALUE): st.integers(0, 2**64 - 1),
    (abi.DOUBLE, Marshal.VALUE): st.floats(allow_nan=False),
    (abi.COMPLEX_DOUBLE, Marshal.VALUE): st.complex_numbers(allow_nan=False),
    (abi.POINTER, Marshal.VALUE): st.integers(0, 2**64 - 1),
    (abi.POINTER, Marshal.STRING): st.none() | st.binary(max_size=50),
    (abi.POINTER, Marshal.BYTES): st.none() | st.binary(max_size=50),
    (PAIR, Marshal.VALUE): st.binary(min_size=16, max_size=16),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_values_survive_being_bytes(data: Any) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(VALUES)), max_size=6))
    codec = Codec([type for type, _ in kinds], [marshal for _, marshal in kinds])
    values = tuple(data.draw(VALUES[kind]) for kind in kinds)
    content = codec.encode(values)
    assert codec.decode(content) == values
    assert codec.decode(b"four" + content, 4) == values


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_bytes_that_are_no_values_are_refused_or_read_but_never_worse(content: bytes) -> None:
    codec = Codec([abi.INT64, abi.POINTER, PAIR], [Marshal.VALUE, Marshal.BYTES, Marshal.VALUE])
    try:
        assert len(codec.decode(content)) == 3
    except ProtocolError:
        assert len(content) < 32 or struct.unpack_from("=q", content, 8)[0] > len(content) - 32


@pytest.fixture
def region() -> Any:
    made = Region.make(1 << 26)
    yield made
    made.unmap()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 400_000), st.sampled_from([1, 8, 64, 4096])), max_size=40
    )
)
def test_pieces_of_memory_never_overlap_are_aligned_and_zeroed(steps: list[tuple[bool, int, int]]) -> None:
    region = Region.make(1 << 26)
    try:
        heap = Heap(region, region.address + 4096)
        held: dict[int, int] = {}
        for free, size, alignment in steps:
            if free and held:
                address = next(iter(held))
                del held[address]
                assert heap.free(address)
                continue
            address = heap.alloc(size, alignment)
            assert address % alignment == 0 and region.holds(address, max(size, 1))
            assert window.read_bytes(address, size) == bytes(size)
            window.write_bytes(address, b"\xff" * size)
            assert all(address + size <= other or other + length <= address for other, length in held.items())
            held[address] = max(size, 1)
        assert len(heap) == len(held)
    finally:
        region.unmap()


def test_memory_that_is_given_back_is_given_back_to_the_system(region: Region) -> None:
    heap = Heap(region, region.address)
    address = heap.alloc(16 << 20, 16)
    window.write_bytes(address, b"\1" * (16 << 20))
    used = os.fstat(region.descriptor).st_blocks
    heap.free(address)
    assert os.fstat(region.descriptor).st_blocks < used
    assert heap.alloc(16 << 20, 16) == address
    assert not heap.free(address + 1), "not one of its own"


def test_the_shared_file_cannot_be_shrunk_under_the_other_process(region: Region) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(region.descriptor, 0)


@pytest.mark.parametrize("size", [0, 1, BOX - HEADER.size, BOX, 5 * BOX + 3])
def test_messages_of_any_length_pass_the_channel(region: Region, size: int) -> None:
    parent, child = Channel(region.address, parent=True), Channel(region.address, parent=False)
    parent.reset()
    content = os.urandom(size)
    received: list[tuple[int, bytes]] = []

    def receive() -> None:
        child.wait()
        received.append(child.receive(child.wait))

    thread = threading.Thread(target=receive)
    thread.start()
    parent.send(Kind.OPEN, content, parent.wait)
    thread.join()
    assert received == [(Kind.OPEN, content)]


def test_a_message_of_an_impossible_length_is_refused(region: Region) -> None:
    parent, child = Channel(region.address, parent=True), Channel(region.address, parent=False)
    parent.reset()
    HEADER.pack_into(child.outbox, 0, Kind.RESULT, 1 << 40)
    child.post()
    assert parent.look() and parent.take() is None
    with pytest.raises(ProtocolError):
        parent.receive(parent.wait)


def test_the_end_of_a_child_wakes_the_parent(region: Region) -> None:
    parent, child = Channel(region.address, parent=True), Channel(region.address, parent=False)
    parent.reset()
    assert parent.live and not parent.sleep(0.001)
    threading.Timer(0.05, child.end).start()
    assert parent.sleep(10)
    assert not parent.live and not parent.arrived


def test_a_thunk_jumps_to_what_its_slot_says() -> None:
    x86, arm = thunks._x86_64(0x100), thunks._aarch64(0x100)
    assert x86 == b"\xf3\x0f\x1e\xfa\xff\x25" + struct.pack("<i", 0x100 - 10)
    assert struct.unpack("<II", arm) == (0x58000000 | (0x100 // 4) << 5 | 16, 0xD61F0200)
    code = thunks.thunks(1 << 16)
    assert len(code) == thunks.COUNT * thunks.THUNK


def test_thunks_encode_as_capstone_reads_them() -> None:
    capstone = pytest.importorskip(
        "capstone", reason="capstone reads machine code for the tests; it is not installed"
    )
    x86 = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    listing = [f"{i.mnemonic} {i.op_str}".strip() for i in x86.disasm(thunks._x86_64(0x100), 0)]
    assert listing == ["endbr64", "jmp qword ptr [rip + 0xf6]"]
    arm = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    listing = [f"{i.mnemonic} {i.op_str}".strip() for i in arm.disasm(thunks._aarch64(0x100), 0)]
    assert listing == ["ldr x16, #0x100", "br x16"]


def own_memory(address: int, size: int) -> bytes:
    """Memory of this process that is known to be there."""
    held = mapping_at(mappings(), address)
    return b"" if held is None else ctypes.string_at(address, min(size, held.end - address))


def test_a_part_of_a_file_belongs_to_the_copy_that_it_lies_in() -> None:
    """As there are two of, when a library is loaded into a namespace of its own as well."""
    rows = [
        (0x1000, 0, "/a"),
        (0x2000, 0x1000, "/a"),
        (0x5000, 0, "/b"),
        (0x8000, 0, "/a"),
        (0x9000, 0x1000, "/a"),
    ]
    maps = [Mapping(start, start + 0x1000, "r-xp", offset, path) for start, offset, path in rows]
    assert [beginning(maps, part) for part in maps] == [maps[0], maps[0], maps[2], maps[3], maps[3]]
    assert beginning(maps, Mapping(0x500, 0x600, "r-xp", 0x1000, "/a")) is None


def test_tables_know_the_functions_of_the_c_library() -> None:
    libc = ctypes.CDLL(None)
    address = ctypes.cast(libc.qsort, ctypes.c_void_p).value or 0
    held = mapping_at(mappings(), address)
    assert held is not None and is_code(address)
    first = beginning(mappings(), held)
    assert first is not None
    function = Tables(own_memory, first.start).function(address)
    assert function.start == address < function.end
    # At a function's first instruction the return address is on top of the stack, or in the link register.
    stack = (ctypes.c_uint64 * 4)(0x1234)
    top = ctypes.addressof(stack)
    if os.uname().machine == "x86_64":
        found = caller(function, {7: top, 16: address}, address, 7, own_memory)
        assert (found[16], found[7]) == (0x1234, top + 8)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=300))
def test_broken_tables_are_an_unwind_error(content: bytes) -> None:
    def read(address: int, size: int) -> bytes:
        return content[address : address + size] if address < len(content) else b""

    for data in (content, b"\x7fELF\x02" + content[5:]):
        content = data
        with pytest.raises(UnwindError):
            Tables(read, 0).function(1)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.booleans())
def test_numbers_are_read_or_refused(content: bytes, signed: bool) -> None:
    try:
        Cursor(content, 0).leb(signed=signed)
    except UnwindError:
        assert not content or len(content) > 9 or all(byte & 0x80 for byte in content)


def test_a_report_survives_being_bytes() -> None:
    report = Report("signal", 11, 1, 8, frames=())
    assert Report.decode(report.encode()) == report


class Places:
    """A session whose children have symbols at places of the test's choosing."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.channel: Any = self
        self.live = True

    def ask(self, life: Life, kind: Kind, content: Any, name: str) -> int:
        if kind is not Kind.FIND:
            return 7
        symbol = content[1]
        if symbol not in self.at:
            raise LookupError(symbol)
        return self.at[symbol]


def test_symbols_are_found_where_they_are_in_each_child() -> None:
    """A library may move from child to child, and what its handle finds in another library does not move with it."""
    session: Any = Places()
    libraries, first = Libraries(), Life(1)
    session.at = {"f": 0x1010, "free": 0x9000}
    token = libraries.open(session, first, "lib.so", None)
    f, free = (libraries.find(session, first, token, name) for name in ("f", "free"))
    assert (f, free) == (0x1010, 0x9000)

    second = Life(2)
    session.at = {"f": 0x1510, "free": 0x9000, "g": 0x1520, "h": 0x1010}
    libraries.begin(session, second)
    assert [libraries.current(second, address) for address in (f, free, 0x123)] == [0x1510, 0x9000, 0x123]
    again = libraries.open(session, second, "lib.so", None)
    assert libraries.find(session, second, again, "f") == f
    g = libraries.find(session, second, token, "g")
    h = libraries.find(session, second, token, "h")
    assert h != f  # although it lies where the other one was
    assert [libraries.current(second, address) for address in (f, g, h)] == [0x1510, 0x1520, 0x1010]

    libraries.close(session, second, token)
    third = Life(3)
    session.at = {"f": 0x1010, "free": 0x9000}
    libraries.begin(session, third)
    assert libraries.current(third, f) == 0x1010

    replaced = Life(4)
    session.at = {}
    libraries.begin(session, replaced)
    assert libraries.current(replaced, f) == 0
