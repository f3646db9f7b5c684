"""Regions: what `map` gives, rights to pages and the pointers that depend on them, the end of it all."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from collections.abc import Callable

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform.memory import (
    PAGE_SIZE,
    Advice,
    Protection,
    Region,
    map,
    mapping_at,
    mappings,
)

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="mappings are looked at in Linux' /proc"),
]

InChild = Callable[[Callable[[], int]], int]
READ, WRITE, EXECUTE = Protection.READ, Protection.WRITE, Protection.EXECUTE


@ffi.struct
class pair:
    x: c.int
    y: c.double


def test_memory_is_zeroed_typed_and_bounded() -> None:
    with map(3 * PAGE_SIZE + 10) as region:
        assert len(region) == region.size == 3 * PAGE_SIZE + 10 and region.page_size == PAGE_SIZE
        octets = region.array()
        assert len(octets) == region.size and not any(memoryview(octets))
        numbers = region.pointer(c.int, offset=8)
        assert len(numbers) == (region.size - 8) // 4
        numbers[0] = 7
        assert octets[8] == 7 and numbers.address == region.address + 8
        with pytest.raises(ffi.BoundsError):
            numbers[len(numbers)]
        made = region.pointer(pair, 64, 2)[1]
        made.y = 0.5
        assert region.array(pair, 2, 64)[1] == pair(0, 0.5)
        assert region.array(c.int, 0, region.size)[:] == []
        assert "rw-" in repr(region) and str(region.size) in repr(region)
    assert repr(region) == "<Region closed>" and region.closed


def test_everything_ends_with_the_region() -> None:
    region = map(PAGE_SIZE)
    pointer, array, made = region.pointer(c.int), region.array(c.double, 3), region.pointer(pair)[0]
    region.close()
    region.close()
    for use in (lambda: pointer[0], lambda: array[0], lambda: made.x, lambda: (pointer + 1)[0]):
        with pytest.raises(ffi.LifetimeError):
            use()
    for use in (region.pointer, region.protection, region.lock, region.flush, region.__enter__):
        with pytest.raises(ffi.LifetimeError, match="the region is closed"):
            use()
    with pytest.raises(ffi.LifetimeError):
        region.address
    with pytest.raises(ffi.LifetimeError):
        region.protect(READ)


def test_a_region_that_is_dropped_lives_as_long_as_its_pointers() -> None:
    region = map(PAGE_SIZE)
    pointer = region.pointer(c.int) + 1
    pointer[0] = 5
    gone, address = weakref.ref(region), region.address
    del region
    gc.collect()
    assert gone() is None and pointer[0] == 5
    assert mapping_at(address) is not None
    inner = pointer[0:2]
    del pointer
    assert inner[0] == 5
    del inner
    gc.collect()
    found = mapping_at(address)
    assert found is None or found.path  # something else may be there by now


def test_a_pointer_in_a_cycle_is_good_until_its_own_end() -> None:
    seen = []

    class User:
        """Its finalizer runs after those of older objects, the region among them."""

        def __del__(self) -> None:
            try:
                seen.append(self.pointer[0])
            except ffi.LifetimeError:
                seen.append(None)
            self.region.close()
            with pytest.raises(ffi.LifetimeError):
                self.pointer[0]

    region = map(PAGE_SIZE, guard=True)
    address = region.address
    user = User()
    user.region, user.pointer, user.itself = region, region.pointer(c.int), user
    user.region.itself = user  # type: ignore[attr-defined]
    del region, user
    gc.collect()
    found = mapping_at(address)
    assert len(seen) == 1 and seen[0] in (0, None) and (found is None or found.path)


def test_memory_in_use_by_a_buffer_is_neither_closed_nor_protected() -> None:
    region = map(2 * PAGE_SIZE)
    view = memoryview(region.array(c.uint8, 10))
    with pytest.raises(BufferError):
        region.close()
    with pytest.raises(BufferError):
        region.protect(READ)
    assert region.protection() == READ | WRITE and not region.closed
    view[0] = 9
    view.release()
    region.close()


def test_losing_the_right_to_write_ends_what_could_be_written() -> None:
    with map(PAGE_SIZE) as region:
        writer, reader = region.pointer(c.int), region.pointer(c.int, write=False)
        writer[0] = 3
        with pytest.raises(ffi.ConstError):
            reader[0] = 1
        region.protect(READ)
        assert reader[0] == 3
        with pytest.raises(ffi.LifetimeError):
            writer[0] = 4
        again = region.pointer(c.int)
        assert again[0] == 3
        with pytest.raises(ffi.ConstError):
            again[0] = 4
        with pytest.raises(ffi.ConstError):
            region.pointer(c.int, write=True)
        region.protect(READ | WRITE)
        assert again[0] == 3  # rights that are gained end nothing
        region.pointer(c.int)[0] = 4
        assert again[0] == 4
        region.protect(Protection.NONE)
        for use in (lambda: again[0], lambda: reader[0], lambda: region.pointer()):
            with pytest.raises((ffi.LifetimeError, ValueError)):
                use()
        region.protect(READ)
        assert region.pointer(c.int)[0] == 4


def test_pages_of_one_region_may_have_different_rights() -> None:
    with map(4 * PAGE_SIZE) as region:
        first, last = region.pointer(c.uint8, 0, 10), region.pointer(c.uint8, 3 * PAGE_SIZE, 10)
        region.protect(READ, PAGE_SIZE, PAGE_SIZE)
        region.protect(Protection.NONE, 2 * PAGE_SIZE, PAGE_SIZE)
        kernels = [mapping_at(region.address + page * PAGE_SIZE).protection for page in range(4)]
        assert kernels == [READ | WRITE, READ, Protection.NONE, READ | WRITE]
        assert [region.protection(page * PAGE_SIZE) for page in range(4)] == kernels
        for ended in (first, last):  # of a stretch that has lost something
            with pytest.raises(ffi.LifetimeError):
                ended[0]
        region.pointer(c.uint8, 3 * PAGE_SIZE)[0] = 1
        with pytest.raises(ValueError, match=f"they change at {PAGE_SIZE}"):
            region.pointer(c.uint8, PAGE_SIZE - 1, 2)
        with pytest.raises(ValueError, match="may not be read"):
            region.array(c.uint8, 1, 2 * PAGE_SIZE)
        region.protect(READ | WRITE)
        whole = region.array()
        whole[PAGE_SIZE] = whole[2 * PAGE_SIZE] = 2
        assert whole[3 * PAGE_SIZE] == 1 and repr(region).endswith("rw->")


def test_pointers_never_reach_pages_without_their_right() -> None:
    """Whatever is done in whatever order: using a pointer works or raises, and what works reads what was written."""
    import random

    source = random.Random(5)
    rights = [Protection.NONE, READ, READ | WRITE]
    with map(6 * PAGE_SIZE) as region:
        now = [READ | WRITE] * 6
        pointers = []
        for _ in range(600):
            low = source.randrange(6)
            high = source.randrange(low, 6) + 1
            if source.random() < 0.4:
                chosen = source.choice(rights)
                region.protect(chosen, low * PAGE_SIZE, (high - low) * PAGE_SIZE)
                now[low:high] = [chosen] * (high - low)
            else:
                try:
                    pointers.append((low, region.pointer(c.uint8, low * PAGE_SIZE, (high - low) * PAGE_SIZE)))
                except ValueError:
                    # Refused for a reason only: rights differ in there, or do not suffice.
                    assert len(set(now[low:high])) > 1 or not now[low] & READ
            for page, pointer in pointers:
                try:
                    pointer[0]
                    pointer[0] = page
                    assert now[page] & WRITE
                except ffi.ConstError:
                    assert now[page] & READ
                except ffi.LifetimeError:
                    pass


@pytest.mark.parametrize(
    ("offset", "size", "error"),
    [
        (1, None, ffi.AlignmentError),
        (0, 100, ffi.AlignmentError),
        (PAGE_SIZE, PAGE_SIZE + 1, ffi.BoundsError),
        (-PAGE_SIZE, PAGE_SIZE, ffi.BoundsError),
        (0, -PAGE_SIZE, ffi.BoundsError),
        (0, 1 << 70, ffi.BoundsError),
        (0, 0, ValueError),
        (2 * PAGE_SIZE, None, ValueError),
        ("0", None, TypeError),
    ],
)
def test_only_whole_pages_inside_the_region_change(offset, size, error) -> None:
    with map(2 * PAGE_SIZE) as region:
        kept = region.pointer()
        for change in (region.protect, region.advise):
            with pytest.raises(error):
                change(READ if change == region.protect else Advice.NORMAL, offset, size)
        assert region.protection() == READ | WRITE and kept[0] == 0


def test_the_last_page_need_not_be_full() -> None:
    with map(PAGE_SIZE + 5) as region:
        region.protect(READ, PAGE_SIZE)
        assert mapping_at(region.address + PAGE_SIZE).protection == READ
        assert region.protection(PAGE_SIZE + 4) == READ and region.protection(0) == READ | WRITE


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, ValueError, "say how many bytes"),
        ({"size": 0}, ValueError, "cannot map 0 bytes"),
        ({"size": -1}, ValueError, "cannot map -1 bytes"),
        ({"size": 1 << 62}, OSError, "ENOMEM"),
        ({"size": 1 << 80}, OverflowError, "does not fit"),
        ({"size": 1.5}, TypeError, "integer"),
        ({"size": 1, "offset": PAGE_SIZE}, ValueError, "without a file"),
        ({"size": 1, "offset": 1, "file": 0}, ValueError, "multiple of the page size"),
        ({"size": 1, "file": 123456}, OSError, "Bad file descriptor"),
        ({"size": 1, "file": "name"}, AttributeError, "fileno"),
        ({"size": 1, "huge": 12345}, ValueError, "no huge pages of 12345 bytes"),
        ({"size": 1, "huge": PAGE_SIZE}, ValueError, "no huge pages of"),
    ],
)
def test_what_cannot_be_mapped_is_refused(arguments, error, words) -> None:
    with pytest.raises(error, match=words):
        map(**arguments)


def test_bounds_of_pointers_are_those_of_the_region() -> None:
    with map(100) as region:
        for offset, count in ((101, None), (-1, None), (0, 101), (97, 4), (0, -1), (0, 1 << 70)):
            with pytest.raises(ffi.BoundsError):
                region.pointer(c.uint8, offset, count)
        with pytest.raises(ffi.BoundsError):
            region.protection(100)
        assert len(region.pointer(c.int64, 96)) == 0
        with pytest.raises(ffi.AlignmentError):
            region.pointer(c.int, 1)[0]
        with pytest.raises(ffi.DeclarationError):
            region.pointer(None)
    with pytest.raises(TypeError, match="pickle"):
        import pickle

        pickle.dumps(region)


def test_threads_may_protect_and_take_pointers_at_once() -> None:
    with map(16 * PAGE_SIZE) as region:
        failures = []

        def work(page: int) -> None:
            try:
                for turn in range(100):
                    region.protect(READ if turn % 2 else READ | WRITE, page * PAGE_SIZE, PAGE_SIZE)
                    region.pointer(c.int, page * PAGE_SIZE, 1)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(page,)) for page in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert [region.protection(page * PAGE_SIZE) for page in (0, 7, 8)] == [READ, READ, READ | WRITE]


def test_racing_to_close_unmaps_once() -> None:
    for _ in range(50):
        region = map(PAGE_SIZE)
        barrier = threading.Barrier(4)

        def close(region: Region = region, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            region.close()

        threads = [threading.Thread(target=close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert region.closed


def test_nothing_is_left_behind() -> None:
    def cycle() -> None:
        region = map(8 * PAGE_SIZE, guard=True)
        region.protect(READ, PAGE_SIZE, PAGE_SIZE)
        region.pointer(c.int, 0, 1)
        region.array(c.int, 1, PAGE_SIZE)

    cycle()
    gc.collect()
    before = len(mappings())
    for _ in range(200):
        cycle()
    gc.collect()
    assert len(mappings()) <= before + 2


def test_a_failed_mapping_leaves_no_reservation() -> None:
    read, write = os.pipe()
    os.close(write)
    before = len(mappings())
    for _ in range(20):
        with pytest.raises(OSError):
            map(1 << 20, file=read, guard=True)
    os.close(read)
    assert len(mappings()) <= before + 1


def test_a_region_that_outlives_the_interpreter_does_no_harm(run: Callable[..., str]) -> None:
    run(
        "from epsilon.foreign.ext.platform.memory import map, SecretArena\n"
        "from epsilon.foreign.api import c\n"
        "region = map(100000, guard=True, lock=True); pointer = region.pointer(c.int)\n"
        "arena = SecretArena(); secret = arena.alloc(c.int)\n"
        "class Late:\n    def __del__(self): region.close(); arena.close()\n"
        "import sys; sys.late = Late()\n"
    )
