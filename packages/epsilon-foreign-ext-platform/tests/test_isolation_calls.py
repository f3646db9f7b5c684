"""Isolated calls mean what calls in this process mean: values, memory, texts, errors, callbacks aside."""

from __future__ import annotations

import array
import itertools
import os
import time
from collections.abc import Iterator
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from platform_support.isolating import linux

pytestmark = [pytest.mark.once, linux]


@ffi.struct
class point:
    x: c.int
    y: c.int


@ffi.struct
class line:
    start: ffi.Pointer[point]
    to: ffi.Pointer[point]
    name: c.string


@ffi.struct
class node:
    value: c.int
    next: ffi.Pointer[node]


@ffi.struct
class big:
    numbers: ffi.Array[c.double, 40]


@pytest.fixture(scope="module")
def backend() -> Iterator[Any]:
    with platform.isolated(timeout=20) as made:
        yield made


@pytest.fixture
def lib(backend: Any, isolated_library: str) -> Iterator[ffi.Library]:
    with ffi.use_backend(backend):
        yield ffi.Library(isolated_library)


def test_it_runs_in_another_process_and_state_stays_between_calls(lib: ffi.Library, backend: Any) -> None:
    process = lib.bind("process", c.int, [])
    assert process() == backend.process != os.getpid()
    assert process() == process()
    lib.variable("counter", c.int).value = 5
    assert lib.bind("read_counter", c.int, [])() == 5


@pytest.mark.parametrize(
    ("name", "result", "parameters", "arguments", "answer"),
    [
        ("add", c.long, [c.long, c.long], (2, -3), -1),
        ("neg8", c.int8, [c.int8], (-128 + 1,), 127),
        ("top", c.uint64, [], (), 2**64 - 1),
        ("negated", c.bool, [c.bool], (True,), False),
        ("halff", c.float, [c.float], (0.5,), 0.25),
        ("halfl", c.longdouble, [c.longdouble], (0.5,), 0.25),
        ("mulc", c.double_complex, [c.double_complex] * 2, (1 + 2j, 3 - 1j), (1 + 2j) * (3 - 1j)),
        ("constant", c.string, [], (), "a constant of C"),
        ("constant", c.bytes, [], (), b"a constant of C"),
        ("length", c.size_t, [c.string], ("größer",), 8),
        ("environment", c.string, [c.string], ("EPSILON_NO_SUCH_VARIABLE",), None),
    ],
)
def test_values_travel_both_ways(
    lib: ffi.Library, name: str, result: Any, parameters: Any, arguments: Any, answer: Any
) -> None:
    assert lib.bind(name, result, parameters)(*arguments) == answer


def test_arguments_are_checked_as_everywhere(lib: ffi.Library) -> None:
    neg8 = lib.bind("neg8", c.int8, [c.int8], names=["x"])
    with pytest.raises(ffi.ArgumentRangeError, match=r"neg8\(\) argument 1 \('x'\)"):
        neg8(128)
    with pytest.raises(ffi.ArgumentTypeError):
        neg8("1")
    assert neg8(x=3) == -3


def test_errno_is_that_of_the_call(lib: ffi.Library) -> None:
    fail = lib.bind("fail_with", c.int, [c.int], check=ffi.check_nonnegative)
    assert fail(0) == 0
    with pytest.raises(FileNotFoundError):
        fail(2)


def test_variadic_functions_are_called(lib: ffi.Library) -> None:
    sumv = lib.bind("sumv", c.int, [c.int], variadic=True)
    assert sumv(3, 10, 20, 30) == 60
    assert sumv(1, c.int(4)) == 4


def test_structs_by_value(lib: ffi.Library) -> None:
    assert lib.bind("flip", point, [point])(point(1, 2)) == point(2, 1)
    doubled = lib.bind("doubled", big, [big])
    assert list(doubled(big(numbers=range(40))).numbers) == [2.0 * i for i in range(40)]


def test_a_struct_of_this_process_is_lent_and_brought_back(lib: ffi.Library, backend: Any) -> None:
    outside = point(1, 2)
    assert not backend.shares(ffi.addressof(outside)), "it lies in the Python object"
    lib.bind("shift", None, [ffi.Pointer[point], c.int])(outside, 10)
    assert outside == point(11, 2)


def test_what_a_struct_points_to_is_lent_with_it(lib: ffi.Library) -> None:
    start, to = point(1, 0), point(5, 0)
    whole = line(ffi.pointer(start), ffi.pointer(to), "four")
    assert lib.bind("distance", c.int, [ffi.Pointer[line]])(whole) == 8
    assert lib.bind("distance_of", c.int, [line])(whole) == 8
    lib.bind("swap_ends", None, [ffi.Pointer[line]])(whole)
    assert whole.start.address == ffi.addressof(to) and whole.to.address == ffi.addressof(start)
    assert to.y == 77, "the same memory"
    assert whole.name == "four"


def test_a_list_that_c_relinks_is_relinked(lib: ffi.Library) -> None:
    third = node(3)
    second = node(2, ffi.pointer(third))
    first = node(1, ffi.pointer(second))
    head = lib.bind("reversed", ffi.Pointer[node], [ffi.Pointer[node]])(first)
    assert head.address == ffi.addressof(third)
    assert ffi.addressof(third) and third.next.address == ffi.addressof(second)
    assert second.next.address == ffi.addressof(first) and not first.next


def test_structs_in_an_arena_point_at_each_other_without_copies(lib: ffi.Library, backend: Any) -> None:
    with ffi.Arena() as arena:
        items = [arena.new(node, value) for value in range(3)]
        for one, other in itertools.pairwise(items):
            one.next = ffi.pointer(other)
        assert all(backend.shares(ffi.addressof(item)) for item in items)
        head = lib.bind("reversed", ffi.Pointer[node], [ffi.Pointer[node]])(items[0])
        assert head.address == ffi.addressof(items[2])
        assert [items[2].next.bounded(1)[0].value, items[1].next.bounded(1)[0].value] == [1, 0]


def test_an_arena_holds_pointers_to_memory_of_this_process(lib: ffi.Library) -> None:
    outside = point(1, 0), point(5, 0)
    with ffi.Arena() as arena:
        whole = arena.new(line, ffi.pointer(outside[0]), ffi.pointer(outside[1]), "four")
        assert lib.bind("distance", c.int, [ffi.Pointer[line]])(whole) == 8
        assert whole.start.address == ffi.addressof(outside[0]), "as it was before the call"


def test_memory_made_while_it_is_in_use_is_shared(lib: ffi.Library, backend: Any) -> None:
    for made in (
        ffi.alloc(c.int, 3),
        ffi.array(c.int, [1, 2, 3]),
        ffi.new(c.double, 0.5),
        ffi.alloc(c.char, 1 << 20),
    ):
        assert backend.shares(ffi.addressof(made))
    keep, first = lib.bind("keep_text", None, [ffi.Pointer[c.char]]), lib.bind("kept_first", c.char, [])
    with ffi.c_string("kept") as text:
        keep(text)
        assert first() == b"k"
        text[0] = b"w"
        assert first() == b"w", "the memory that C keeps a pointer to, seen from both sides"


def test_buffers_are_lent(lib: ffi.Library) -> None:
    fill = lib.bind("fill", None, [c.mutable_buffer, c.size_t, c.int])
    for buffer in (bytearray(10), array.array("B", bytes(10)), memoryview(bytearray(10))):
        fill(buffer, 5, 7)
        assert bytes(buffer) == b"\7" * 5 + bytes(5)
    numbers = lib.bind("at", c.uint8, [c.buffer, c.size_t])
    assert numbers(b"abc", 1) == ord("b")
    with pytest.raises(ffi.ArgumentTypeError):
        fill(b"read only", 5, 7)


def test_a_pointer_into_an_argument_comes_back_as_one(lib: ffi.Library) -> None:
    find = lib.bind("find", ffi.Pointer[c.char, 1], [c.bytes, c.int])
    text = b"key=value"
    assert find(text, ord("="))[0] == b"="
    assert find(text, ord("=")).address == find(text, ord("k")).address + 3
    same = lib.bind("same", ffi.Pointer[point], [ffi.Pointer[point]])
    mine = point(1, 2)
    assert same(mine).address == ffi.addressof(mine)
    assert not same(None)


def test_texts_come_back_through_pointers(lib: ffi.Library) -> None:
    split = lib.bind("split", None, [c.string, ffi.Out[c.string], ffi.Out[c.string]])
    assert split("head,tail") == ("head,tail", "tail")
    shout = lib.bind("shout", ffi.Owned[c.string, "free"], [c.string])
    assert shout("hey") == "hey!"


@pytest.mark.parametrize("size", [0, 1, 65_000, 65_536, 300_000])
def test_texts_of_any_length(lib: ffi.Library, size: int) -> None:
    text = "x" * size
    assert lib.bind("length", c.size_t, [c.string])(text) == size
    assert lib.bind("shout", ffi.Owned[c.string, "free"], [c.string])(text) == text + "!"
    assert lib.bind("shout", c.bytes, [c.bytes])(text.encode()) == text.encode() + b"!"


def test_memory_of_the_child_is_read_by_asking_and_never_by_accident(lib: ffi.Library, backend: Any) -> None:
    made = lib.bind("made", ffi.Pointer[point], [c.int, c.int])
    pointer = made(3, 4)
    with pytest.raises(ffi.RemoteMemoryError, match="does not share"):
        pointer[0]
    with pytest.raises(ffi.RemoteMemoryError):
        pointer.bounded(1)
    assert backend.fetch(pointer)[0] == point(3, 4)
    backend.write(pointer.address, bytes(point(5, 6)))
    assert backend.fetch(pointer)[0] == point(5, 6)
    lib.bind("shift", None, [ffi.Pointer[point], c.int])(pointer, 1)
    assert backend.fetch(pointer)[0] == point(6, 6)
    with pytest.raises(ffi.RemoteMemoryError):
        backend.read(8, 1)
    with pytest.raises(ffi.RemoteMemoryError):
        backend.write(8, b"x")
    with pytest.raises(TypeError):
        backend.fetch(3)


def test_outside_of_use_backend_nothing_of_the_child_is_read_as_ones_own(isolated_library: str) -> None:
    with platform.isolated(timeout=20) as backend:
        with ffi.use_backend(backend):
            lib = ffi.Library(isolated_library)
        assert lib.bind("constant", c.string, [])() == "a constant of C", "bound where it was opened"
        pointer = lib.bind("made", ffi.Pointer[point, 1], [c.int, c.int])(1, 2)
        with pytest.raises(ffi.RemoteMemoryError):
            pointer[0]
        with pytest.raises(ffi.RemoteMemoryError):
            pointer.cast(c.int).bounded(1)
        split = lib.bind("split", None, [c.string, ffi.Out[c.string], ffi.Out[c.string]])
        assert split("a,b") == ("a,b", "b")
        assert lib.variable("banner", c.string).value == "hello from C"
        plus = lib.bind("get_plus", ffi.Callback[[c.int, c.int], c.int], [])()
        assert plus(1, 2) == 3


def test_a_library_of_this_process_is_not_bound_to_be_called_there(isolated_library: str) -> None:
    here = ffi.Library(isolated_library)
    with (
        platform.isolated() as backend,
        ffi.use_backend(backend),
        pytest.raises(ffi.RemoteMemoryError, match="open it while that backend is in use"),
    ):
        here.bind("add", c.long, [c.long, c.long])


def test_variables_are_those_of_the_child(lib: ffi.Library, isolated_library: str) -> None:
    counter = lib.variable("counter", c.int)
    counter.value = 7
    assert lib.bind("read_counter", c.int, [])() == 7
    assert lib.variable("banner", c.string).value == "hello from C"
    corner = lib.variable("corner", point)
    assert corner.value == point(3, 4)
    corner.value = point(8, 9)
    assert corner.value == point(8, 9)
    with pytest.raises(ffi.RemoteMemoryError):
        counter.pointer()[0]
    lib.bind("shift", None, [ffi.Pointer[point], c.int])(corner.pointer(), 1)
    assert corner.value == point(9, 9)


def test_data_is_not_called(lib: ffi.Library) -> None:
    for name in ("counter", "banner"):
        with pytest.raises(platform.NotAFunctionError, match="is data"):
            lib.bind(name, c.int, [])
    assert issubclass(platform.NotAFunctionError, (ffi.ForeignError, TypeError))


def test_what_the_loader_says_is_raised(lib: ffi.Library, tmp_path: Any) -> None:
    broken = tmp_path / "libbroken.so"
    broken.write_bytes(b"\x7fELF and no more")
    with pytest.raises(ffi.LibraryError, match="libbroken"):
        ffi.Library(str(broken))
    with pytest.raises(ffi.SymbolNotFoundError, match="no_such_symbol"):
        lib.symbol("no_such_symbol")


def test_a_closed_library_is_closed(backend: Any, isolated_library: str) -> None:
    with ffi.use_backend(backend):
        library = ffi.Library(isolated_library)
        add = library.bind("add", c.long, [c.long, c.long])
        assert add(1, 2) == 3
        library.close()
        with pytest.raises(ffi.ClosedLibraryError):
            add(1, 2)


def test_passing_100_megabytes_copies_nothing(lib: ffi.Library) -> None:
    at = lib.bind("at", c.uint8, [ffi.Pointer[c.uint8], c.size_t])
    size = 100 << 20
    with ffi.Arena() as arena:
        memory = arena.alloc(c.uint8, size)
        memory[size - 1] = 42
        best = float("inf")
        for _ in range(50):
            begin = time.perf_counter()
            assert at(memory, size - 1) == 42
            best = min(best, time.perf_counter() - begin)
        # Copying 100 MB takes 10 ms and more.
        assert best < 0.002


def test_shared_memory_is_zeroed_reused_and_given_back(backend: Any) -> None:
    with ffi.use_backend(backend):
        backend.alloc(16)
        for size in (1, 100, 5000, 1 << 20):
            seen = set()
            for _ in range(20):
                address = backend.alloc(size, 64)
                assert address % 64 == 0
                assert ffi.bytes_at(address, size) == bytes(size)
                backend.write(address, b"\xff" * size) if backend.process else None
                seen.add(address)
                backend.free(address)
            assert len(seen) < 5
    with pytest.raises(ValueError, match="power of two"):
        backend.alloc(1, 3)
    with pytest.raises(ValueError, match="cannot allocate"):
        backend.alloc(-1)
    with pytest.raises(MemoryError):
        backend.alloc(1 << 40)


def test_the_backend_is_registered_by_its_entry_point() -> None:
    assert "isolated" in ffi.available_backends()
    with ffi.use_backend("isolated") as backend:
        assert ffi.Library(None).bind("labs", c.long, [c.long])(-5) == 5
        assert isinstance(backend, type(platform.isolated()))


def test_limits_are_positive() -> None:
    for name in ("timeout", "memory_limit", "reserve"):
        with pytest.raises(ValueError, match=name):
            platform.isolated(**{name: 0})
    with pytest.raises(ValueError, match="at least"):
        platform.isolated(reserve=1 << 20)
    with platform.isolated(reserve=1 << 23) as small, ffi.use_backend(small):
        assert ffi.Library(None).bind("labs", c.long, [c.long])(-1) == 1
        with pytest.raises(MemoryError):
            ffi.alloc(c.char, 1 << 23)


def test_pointers_into_a_lost_process_are_refused(lib: ffi.Library, backend: Any) -> None:
    made = lib.bind("made", ffi.Pointer[point], [c.int, c.int])
    shift = lib.bind("shift", None, [ffi.Pointer[point], c.int])
    pointer = made(1, 2)
    shift(pointer, 1)
    backend.restart()
    with pytest.raises(ffi.LifetimeError, match="process that has ended"):
        shift(pointer, 1)
    with pytest.raises(ffi.LifetimeError, match="process that has ended"):
        shift(pointer.cast(point), 1)


def test_what_a_lost_process_owned_is_not_freed_in_the_next(lib: ffi.Library, backend: Any) -> None:
    made = lib.bind("made", ffi.Owned[ffi.Pointer[point], "free"], [c.int, c.int])
    first, second = made(1, 2), made(3, 4)
    first.release()
    backend.restart()
    process = lib.bind("process", c.int, [])
    fresh = process()
    second.release()
    assert process() == fresh, "nothing was freed there that it had not allocated"


def test_a_finalizers_call_waits_for_the_one_that_runs(lib: ffi.Library, backend: Any) -> None:
    made = lib.bind("made", ffi.Owned[ffi.Pointer[point], "free"], [c.int, c.int])
    gift = made(1, 2)
    session = backend._session
    session._waiting = True
    try:
        del gift
        assert len(session.deferred) == 1
    finally:
        session._waiting = False
    assert lib.bind("add", c.long, [c.long, c.long])(1, 2) == 3
    assert not session.deferred
