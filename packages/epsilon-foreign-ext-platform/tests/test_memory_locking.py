"""Locks: memory that stays in RAM, counted, and the limit for it."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform.memory import PAGE_SIZE, PageLock, Region, lock, map, mapping_at

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="what is locked is read from Linux' /proc"),
]

#: Without the privilege to lock as much as it likes, and with a limit of two pages.
LIMITED = f"""
import os, resource
import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform import SecretArena
from epsilon.foreign.ext.platform.memory import lock, map, mapping_at
with map(100) as region: region.lock(on_fault=True)  # loads what is needed, while files can be read
mapping_at(ffi.new(c.int))
SecretArena().alloc(c.int)
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
resource.setrlimit(resource.RLIMIT_MEMLOCK, (2 * {PAGE_SIZE}, 2 * {PAGE_SIZE}))
"""


def locked(region: Region) -> list[bool]:
    """Of each page: is it locked?"""
    return ["lo" in mapping_at(region.address + at).flags for at in range(0, region.size, PAGE_SIZE)]


def test_memory_is_locked_for_the_length_of_a_block() -> None:
    with map(3 * PAGE_SIZE, guard=True) as region:
        data = region.array(c.int, 4, offset=PAGE_SIZE)
        with lock(data) as held:
            assert held.size == PAGE_SIZE and held.start == data.address
            assert locked(region) == [False, True, False]
            assert mapping_at(data).locked == PAGE_SIZE
        assert locked(region) == [False] * 3 and held.size == 0
        assert repr(held) == "<PageLock released>"
        held.release()


def test_locks_of_the_same_pages_count() -> None:
    with map(4 * PAGE_SIZE, guard=True) as region:
        first, second = lock(region.pointer()), lock(region.array(c.uint8, 2, 2 * PAGE_SIZE - 1))
        third = lock(region.pointer(c.uint8, PAGE_SIZE + 8, 8))
        assert locked(region) == [True] * 4
        first.release()
        assert locked(region) == [False, True, True, False]
        second.release()
        assert locked(region) == [False, True, False, False]
        third.release()
        assert locked(region) == [False] * 4


def test_a_lock_that_is_dropped_is_released() -> None:
    with map(PAGE_SIZE, guard=True) as region:
        held = lock(region.pointer())
        assert locked(region) == [True]
        del held
        gc.collect()
        assert locked(region) == [False]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ffi.new(ffi.Array[c.int, 3]),
        lambda: ffi.alloc(c.double, 10),
        lambda: bytearray(100),
        lambda: b"bytes",
        lambda: memoryview(bytearray(100))[10:20],
        lambda: ffi.make_struct("some", {"x": c.int})(5),
    ],
)
def test_anything_with_memory_can_be_locked(make) -> None:
    data = make()
    with lock(data) as held:
        found = mapping_at(held.start)
        assert "lo" in found.flags and found.start <= held.start < held.stop <= found.stop


def test_memory_cannot_be_freed_while_it_is_locked() -> None:
    arena = ffi.Arena()
    held = lock(arena.alloc(c.int, 3))
    with pytest.raises(BufferError):
        arena.close()
    held.release()
    arena.close()


@pytest.mark.parametrize("data", [5, None, "text", object(), ffi.Pointer[c.int].from_address(4096)])
def test_what_has_no_memory_cannot_be_locked(data) -> None:
    with pytest.raises((TypeError, ffi.BoundsError)):
        lock(data)


def test_no_bytes_and_unmapped_memory_cannot_be_locked() -> None:
    with pytest.raises(ValueError, match="cannot lock 0 bytes"):
        lock(b"")
    with pytest.raises(OSError, match=r"mlock\(\).*ENOMEM"):
        PageLock(0x1000, 100)


def test_a_region_is_locked_until_it_is_unlocked_or_closed() -> None:
    region = map(2 * PAGE_SIZE, guard=True, lock=True)
    assert locked(region) == [True, True]
    region.lock()
    region.unlock()
    assert locked(region) == [False, False]
    region.unlock()
    region.lock(on_fault=True)
    found = mapping_at(region)
    assert "lo" in found.flags and found.resident == 2 * PAGE_SIZE
    region.close()
    with map(2 * PAGE_SIZE, guard=True) as lazy:
        lazy.lock(on_fault=True)
        assert mapping_at(lazy).resident == 0 and locked(lazy) == [True, True]
        lazy.array()[0] = 1
        assert mapping_at(lazy).locked == PAGE_SIZE


def test_pages_stay_locked_as_long_as_a_pointer_needs_them() -> None:
    pointer = map(PAGE_SIZE, guard=True, lock=True).pointer()
    gc.collect()
    assert "lo" in mapping_at(pointer).flags


def test_the_limit_is_named_when_it_is_hit(run: Callable[..., str]) -> None:
    out = run(
        LIMITED
        + """
region = map(100)
with lock(region.array()): pass
for attempt in (lambda: map(100_000, lock=True), lambda: lock(bytearray(100_000)),
                lambda: SecretArena().alloc(c.uint8, 100_000)):
    try:
        attempt()
    except OSError as error:
        assert isinstance(error, ffi.ForeignError)
        print(type(error).__name__, error)
region.lock(); region.unlock(); region.lock()  # what failed has left nothing locked
"""
    )
    lines = out.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert "(ENOMEM): RLIMIT_MEMLOCK allows 8192 bytes" in line and "CAP_IPC_LOCK" in line


def test_no_locked_memory_at_all_is_a_question_of_permission(run: Callable[..., str]) -> None:
    out = run(
        LIMITED
        + """
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
try:
    SecretArena().alloc(c.int)
except PermissionError as error:
    print(error)
secret = SecretArena(lock=False).take(bytearray(b"abc"))
flags = mapping_at(secret).flags if os.access("/proc/self/smaps", os.R_OK) else {"dd", "wf"}
assert {"dd", "wf"} <= flags and "lo" not in flags and secret[2] == ord("c")
"""
    )
    assert "EPERM" in out and "RLIMIT_MEMLOCK is 0" in out


def test_a_forked_child_has_no_locks_and_its_releases_are_its_own(in_child) -> None:
    with map(PAGE_SIZE, guard=True) as region:
        held = lock(region.pointer())

        def work() -> int:
            held.release()
            with lock(region.pointer()):
                first = locked(region)
            return first == [True] and locked(region) == [False]

        assert in_child(work) == 1
        assert locked(region) == [True]
        held.release()


def test_threads_may_lock_the_same_pages_at_once() -> None:
    with map(2 * PAGE_SIZE, guard=True) as region:
        failures = []

        def work() -> None:
            try:
                for _ in range(5):
                    with lock(region.pointer()) as held:
                        if not held.size or locked(region) != [True, True]:
                            failures.append(locked(region))
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures and locked(region) == [False, False]
