"""Memory: arenas, single allocations, strings, lifetimes, buffers that are in use, threads."""

from __future__ import annotations

import contextlib
import gc
import itertools
import sys
import threading
import weakref

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    Arena,
    ArgumentValueError,
    BoundsError,
    DeclarationError,
    LayoutError,
    LifetimeError,
    NullPointerError,
    OwnershipError,
    Pointer,
    addressof,
    alloc,
    array,
    bytes_at,
    c_string,
    free,
    from_buffer,
    make_aggregate,
    memory,
    null,
    pointer,
    string_at,
)

T = TYPES
point = make_aggregate("point", {"x": T["int"], "y": T["int"]})
REFUSED = (LifetimeError, SystemError) if sys.version_info < (3, 12) else (LifetimeError,)


def test_what_is_made_in_an_arena_ends_with_it() -> None:
    with Arena() as arena:
        numbers = arena.alloc(T["int"], 4)
        value = arena.new(point, 1, y=2)
        values = arena.array(T["double"], [0.5, 1.5])
        text, data = arena.string("grüß"), arena.bytes(b"\x01\x02")
        cell = arena.new(Pointer[point], value)
        numbers[3] = 4
        assert (list(numbers), value, list(values)) == ([0, 0, 0, 4], point(1, 2), [0.5, 1.5])
        assert (string_at(text), list(data), cell[0][0].y) == ("grüß", [1, 2], 2)
        inner = numbers[1:3]
    uses = (
        lambda: numbers[0],
        lambda: value.x,
        lambda: setattr(value, "x", 1),
        lambda: values[0],
        lambda: list(values),
        lambda: string_at(text),
        lambda: bytes_at(data),
        lambda: cell[0],
        lambda: inner[0],
        lambda: pointer(value),
        lambda: addressof(value),
        lambda: value == point(1, 2),
    )
    for use in uses:
        with pytest.raises(LifetimeError):
            use()
    with pytest.raises(LifetimeError, match=r"int.* was used, but its arena was closed"):
        numbers[0]
    with pytest.raises(REFUSED):
        memoryview(values)
    with pytest.raises(LifetimeError, match="the arena is closed"):
        arena.alloc(T["int"])
    assert arena.closed and repr(arena) == "<Arena closed>"
    arena.close()
    assert repr(numbers).startswith("<Pointer[int]") and "LifetimeError" in repr(value)


def test_an_arena_that_is_dropped_stays_until_its_last_pointer_is_gone() -> None:
    arena = Arena()
    p = arena.alloc(T["int"], 2)
    alive = weakref.ref(arena)
    del arena
    gc.collect()
    p[0] = 5
    assert alive() is not None and p[0] == 5
    del p
    gc.collect()
    assert alive() is None


def test_memory_is_zeroed_aligned_and_does_not_overlap() -> None:
    arena = Arena()
    spans = []
    for size in range(1, 400):
        p = arena.alloc(T["uint8"], size, align=1 << size % 8)
        assert p.address % (1 << size % 8) == 0 and not any(p)
        p[0:size] = bytes([size & 0xFF]) * size
        spans.append((p.address, p.address + size))
    spans.sort()
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    big = arena.alloc(T["double"], 100_000)
    assert big[99_999] == 0 and arena.allocated >= 800_000
    assert arena.alloc(T["char"], 0).address != arena.alloc(T["char"], 0).address


@pytest.mark.parametrize("make", [alloc, lambda *a, **k: Arena().alloc(*a, **k)])
def test_absurd_allocations_are_refused(make) -> None:
    for arguments, options in (((T["int"], -1), {}), ((T["int"], 2**62), {}), ((T["int"], 1), {"align": 3})):
        with pytest.raises(LayoutError):
            make(*arguments, **options)
    with pytest.raises(MemoryError):
        make(T["int"], 2**59)
    with pytest.raises(DeclarationError, match="void has no size"):
        make(None)
    with pytest.raises(DeclarationError, match="incomplete"):
        make(make_aggregate("opaque", None))


def test_alloc_is_freed_once_and_only_where_it_begins() -> None:
    p = alloc(T["int"], 4)
    with pytest.raises(OwnershipError, match="the allocation begins at"):
        free(p + 1)
    free(p)
    with pytest.raises(LifetimeError, match="was freed already"):
        free(p)
    with pytest.raises(LifetimeError):
        free(p + 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: array(T["int"], 3),
        lambda: pointer(point()),
        lambda: point(),
        lambda: Pointer[T["int"]].from_address(4096),
        lambda: null(T["int"]),
        lambda: Arena().alloc(T["int"]),
    ],
)
def test_what_one_does_not_own_is_not_freed(make) -> None:
    with pytest.raises(OwnershipError, match="cannot be freed"):
        free(make())
    assert issubclass(OwnershipError, ValueError)


def test_only_data_can_be_freed() -> None:
    with pytest.raises(TypeError):
        free(4096)


def test_alloc_is_freed_with_its_last_pointer() -> None:
    p = alloc(T["int"], 4)
    alive = weakref.ref(p._owner)
    part = p + 1
    del p
    gc.collect()
    assert alive() is not None and part[-1] == 0
    del part
    gc.collect()
    assert alive() is None


def test_memory_lasts_for_a_with_block() -> None:
    with memory(T["double"], 2) as pair:
        pair[1] = 2.5
        assert list(pair) == [0, 2.5]
    with pytest.raises(LifetimeError):
        pair[1]
    with contextlib.suppress(KeyError), memory(point) as other:
        raise KeyError
    with pytest.raises(LifetimeError):
        other[0]


def test_memory_is_not_freed_while_a_buffer_of_it_is_in_use() -> None:
    arena = Arena()
    values = arena.array(T["int"], [1, 2, 3])
    view = memoryview(values)
    with pytest.raises(BufferError, match="1 buffers"):
        arena.close()
    assert values[0] == 1 and not arena.closed
    view.release()
    arena.close()
    p = alloc(T["int"], 3)
    with memoryview(p) as view:
        assert view.tolist() == [0, 0, 0]
        with pytest.raises(BufferError):
            free(p)
        with memoryview(view) as another, pytest.raises(BufferError):
            assert another.nbytes == 12
            p.release()
    free(p)


def test_a_buffer_that_is_dropped_by_an_exception_is_given_back() -> None:
    arena = Arena()
    values = arena.array(T["uint8"], [1, 2])
    with pytest.raises(TypeError):
        b"".join([values, 5])
    with pytest.raises(ZeroDivisionError):
        memoryview(values)[0 : 1 // 0]
    arena.close()


def test_an_arena_takes_its_blocks_from_a_source_and_gives_them_back_once() -> None:
    given, taken_back = [], []

    def source(size: int, alignment: int) -> tuple[int, object]:
        memory = alloc(T["uint8"], size, align=alignment)
        given.append((memory, size, alignment))
        return memory.address, taken_back.append

    with Arena(source=source, block=256) as arena:
        first, second = arena.alloc(T["int"]), arena.new(point, 1, 2)
        assert [size for _, size, _ in given] == [256]
        assert given[0][0].address == first.address < addressof(second) < first.address + 256
        big = arena.alloc(T["uint8"], 1000, align=64)
        assert [size for _, size, _ in given] == [256, 1000] and given[1][2] == 64
        assert arena.allocated == 1256
    assert taken_back == [memory.address for memory, _, _ in given]
    with pytest.raises(LifetimeError):
        big[0]
    arena.close()
    dropped = Arena(source=source, block=256)
    dropped.alloc(T["int"])
    del dropped
    gc.collect()
    assert len(taken_back) == len(given) == 3


def test_an_arena_in_a_cycle_is_freed_once_and_used_no_more() -> None:
    freed, raised, seen = [], [], []

    def source(size: int, alignment: int) -> tuple[int, object]:
        memory = alloc(T["uint8"], size, align=alignment)
        return memory.address, lambda address, memory=memory: freed.append(address)

    class User:
        """Its finalizer runs after the arena's, which is older, or before it where the collector has another order."""

        def __del__(self) -> None:
            try:
                seen.append(self.pointer[0])
            except LifetimeError as error:
                raised.append(error)
            self.arena.close()

    arena = Arena(source=source)
    user = User()
    user.arena, user.pointer, user.itself = arena, arena.alloc(T["int"]), user
    del arena, user
    gc.collect()
    assert len(freed) == 1
    assert len(raised) == 1 or seen == [0]


def test_a_source_that_has_no_memory_leaves_the_arena_as_it_was() -> None:
    refuse = True

    def source(size: int, alignment: int) -> tuple[int, object]:
        if refuse:
            raise MemoryError("there is none")
        memory = alloc(T["uint8"], size, align=alignment)
        return memory.address, lambda _: memory.release()

    with Arena(source=source) as arena:
        with pytest.raises(MemoryError, match="there is none"):
            arena.alloc(T["int"])
        refuse = False
        assert arena.alloc(T["int"])[0] == 0
    with pytest.raises(LayoutError, match="block=0"):
        Arena(block=0)


def test_memory_that_is_gone_or_unbounded_is_no_buffer() -> None:
    with Arena() as arena:
        values = arena.array(T["int"], [1, 2])
        pointer = arena.alloc(T["int"])
    for ended in (values, pointer):
        with pytest.raises(LifetimeError, match="its arena was closed"):
            from_buffer(T["uint8"], ended)
    with pytest.raises(BoundsError, match="unknown"):
        from_buffer(T["uint8"], Pointer[T["int"]].from_address(4096))


def test_bytes_of_any_buffer_are_copied_into_an_arena() -> None:
    with Arena() as arena:
        for data in (b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"a-b-c")[::2]):
            assert bytes_at(arena.bytes(data)) == b"abc"
        assert bytes_at(arena.bytes(memoryview(array(T["uint16"], [1, 2])))) == b"\1\0\2\0"
        assert bytes_at(arena.bytes(b"")) == b""


def test_an_arena_may_be_used_from_many_threads() -> None:
    arena = Arena()
    found: list[int] = []

    def work(number: int) -> None:
        mine = [arena.alloc(T["int"], 3) for _ in range(300)]
        for p in mine:
            p[0] = p[2] = number
        found.extend(p.address for p in mine if (p[0], p[1], p[2]) == (number, 0, number))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1200


def test_a_confined_arena_belongs_to_one_thread() -> None:
    arena = Arena(confined=True)
    p, value = arena.alloc(T["int"], 2), arena.new(point, 1, 2)
    p[0] = 5
    assert (p[0], value.x) == (5, 1)
    caught: list[str] = []

    def work() -> None:
        for use in (
            lambda: p[0],
            lambda: value.x,
            lambda: arena.alloc(T["int"]),
            arena.close,
            lambda: bytes_at(p),
        ):
            try:
                use()
            except LifetimeError as error:
                caught.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(caught) == 5 and all("confined to another thread" in message for message in caught)
    arena.close()
    with pytest.raises(LifetimeError, match="closed"):
        p[0]


def test_a_pointer_from_an_arena_kept_in_a_struct_does_not_outlive_it() -> None:
    holder = make_aggregate("holder", {"target": Pointer[point]})
    value = holder()
    with Arena() as arena:
        value.target = arena.new(point, 1, 2)
        assert value.target[0].x == 1
    with pytest.raises(LifetimeError):
        value.target[0]


def test_strings_are_read_up_to_a_nul_or_a_limit() -> None:
    with c_string("grüße") as text:
        assert string_at(text) == string_at(text.address) == "grüße"
        assert string_at(text, 2) == "gr" and string_at(text + 1, limit=1) == "r"
        assert len(text) == 8 and bytes_at(text) == "grüße".encode() + b"\0"
        assert bytes_at(text, 2) == bytes_at(text.address, 2) == b"gr"
        with pytest.raises(BoundsError, match=r"9 bytes .* there are 8"):
            bytes_at(text, 9)
        with pytest.raises(BoundsError, match=r"bounds .* are not known"):
            bytes_at(text.address)
        with pytest.raises(ArgumentValueError):
            bytes_at(text, -1)
        with pytest.raises(UnicodeDecodeError):
            string_at(text, 3)
        assert string_at(text, 3, encoding="latin-1") == "grÃ"
    with pytest.raises(LifetimeError):
        string_at(text)


def test_text_without_a_nul_is_not_read_past_its_bounds() -> None:
    octets = array(T["char"], b"abc")
    with pytest.raises(BoundsError, match="no NUL within 3 bytes"):
        string_at(octets)
    assert string_at(octets, 3) == "abc"
    with pytest.raises(BoundsError):
        string_at(octets, 4)
    for nothing in (None, 0, null(T["char"])):
        with pytest.raises(NullPointerError):
            string_at(nothing)


@pytest.mark.parametrize(("text", "error"), [("a\0b", ValueError), (5, TypeError), (None, TypeError)])
def test_what_is_no_c_string_is_refused(text, error) -> None:
    with pytest.raises(error), c_string(text):
        pass


def test_nothing_leaks_over_many_objects() -> None:
    resource = pytest.importorskip("resource")

    def work(rounds: int) -> None:
        for _ in range(rounds):
            value = point(1, 2)
            p = pointer(value)
            p[0].x = 3
            array(T["double"], 1000)
            memoryview(array(T["int"], 10)).tolist()
            with Arena() as arena:
                arena.alloc(T["int"], 100)

    work(300)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(3000)
    gc.collect()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8_000  # KiB; 3,000 arenas are 190 MB
