"""Secrets: what the kernel says of their memory, and that they are found nowhere when they should be gone."""

from __future__ import annotations

import gc
import resource
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform import SecretArena, UnsupportedPlatformError
from epsilon.foreign.ext.platform.memory import PAGE_SIZE, Protection, mapping_at, mappings
from epsilon.foreign.ext.platform.memory import secrets as implementation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SecretArena is Linux'")

#: A child that has a secret which was made by the kernel in its final place, so that Python never saw it. It prints
#: the secret with all bits flipped, and goes on as it is told.
CHILD = """
import sys
import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform import SecretArena
getrandom = ffi.Library(None).bind("getrandom", c.ssize_t, [ffi.Pointer[c.uint8], c.size_t, c.uint])
arena = SecretArena()
secret = arena.alloc(c.uint8, 32)
assert getrandom(secret, 32, 0) == 32
print(bytes(~octet & 255 for octet in secret).hex(), flush=True)
"""


def read_memory(address: int, size: int) -> bytes:
    """What the kernel finds at an address, whatever Python thinks of it."""
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(size)


def count_in(pid: int, wanted: bytes) -> int:
    """How often bytes occur in all the memory of another process that can be read."""
    count = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for found in mappings(pid):
            if found.protection & Protection.READ and found.path not in (
                "[vvar]",
                "[vvar_vclock]",
                "[vsyscall]",
            ):
                memory.seek(found.start)
                count += memory.read(found.size).count(wanted)
    return count


def test_the_kernel_locks_hides_and_fences_it() -> None:
    with SecretArena() as arena:
        secret = arena.alloc(c.uint8, 32)
        found = mapping_at(secret)
        assert {"lo", "dd", "wf"} <= found.flags and found.locked == found.size == PAGE_SIZE
        assert mapping_at(found.start - 1).protection == Protection.NONE
        assert mapping_at(found.stop).protection == Protection.NONE


def test_it_is_an_arena() -> None:
    point = ffi.make_struct("point", {"x": c.int, "y": c.int})
    with SecretArena() as arena:
        made = arena.new(point, 1, y=2)
        numbers = arena.array(c.double, [0.5, 1.5])
        text, data = arena.string("grüß"), arena.bytes(b"\1\2")
        many = arena.alloc(c.uint8, 3 * PAGE_SIZE)
        aligned = arena.alloc(c.uint8, 5, align=4 * PAGE_SIZE)
        assert (made.y, numbers[1], ffi.string_at(text), data[1]) == (2, 1.5, "grüß", 2)
        assert aligned.address % (4 * PAGE_SIZE) == 0
        for part in (made, numbers, text, data, many, aligned):
            assert {"lo", "dd", "wf"} <= mapping_at(part).flags
        many[3 * PAGE_SIZE - 1] = 1
        strlen = ffi.Library(None).bind("strlen", c.size_t, [ffi.Pointer[ffi.Const[c.char]]])
        assert strlen(text) == 6
    for use in (lambda: made.x, lambda: numbers[0], lambda: text[0], lambda: many[0]):
        with pytest.raises(ffi.LifetimeError, match="its arena was closed"):
            use()
    assert repr(arena) == "<SecretArena closed>"


def test_memory_is_zeros_when_it_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    drop = implementation.Reservation.drop

    def look_and_drop(taken) -> None:
        seen.append(read_memory(taken.address, taken.base + taken.total - PAGE_SIZE - taken.address))
        drop(taken)

    monkeypatch.setattr(implementation.Reservation, "drop", look_and_drop)
    arena = SecretArena()
    for size in (32, 5 * PAGE_SIZE):
        secret = arena.alloc(c.uint8, size)
        secret[0:size] = b"k" * size
        assert read_memory(secret.address, size) == b"k" * size
    address = secret.address
    arena.close()
    assert len(seen) == 2 and not any(map(any, seen))
    with pytest.raises(OSError):
        read_memory(address, 1)  # and it is not there any more
    dropped = SecretArena()
    dropped.take(bytearray(b"k" * 32))
    del dropped
    gc.collect()
    assert len(seen) == 3 and not any(seen[2])


def test_no_copy_of_a_secret_remains_anywhere_in_the_process() -> None:
    source = CHILD + "input(); arena.close(); print('closed', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        secret = bytes(~octet & 255 for octet in bytes.fromhex(child.stdout.readline()))
        try:
            before = count_in(child.pid, secret)
        except PermissionError:
            child.communicate("\n\n")
            pytest.skip("this system does not let a process read its child's memory")
        child.stdin.write("\n"), child.stdin.flush()
        assert child.stdout.readline() == "closed\n"
        assert (before, count_in(child.pid, secret)) == (1, 0)
        child.communicate("\n")


def test_a_core_dump_does_not_contain_it(tmp_path: Path) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith("|") or "/" in pattern:
        pytest.skip(f"core dumps go elsewhere on this system: {pattern}")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("core dumps are not allowed here (RLIMIT_CORE)")
    source = (
        CHILD
        + """
import os, resource, hashlib
marker = ffi.alloc(c.uint8, 32)
marker[0:32] = hashlib.sha256(b"marker").digest()
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
os.abort()
"""
    )
    done = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == -signal.SIGABRT
    cores = list(tmp_path.iterdir())
    if not cores:
        pytest.skip("this system wrote no core file")
    import hashlib

    core = cores[0].read_bytes()
    secret = bytes(~octet & 255 for octet in bytes.fromhex(done.stdout))
    assert hashlib.sha256(b"marker").digest() in core, "the dump lacks ordinary memory, too"
    assert secret not in core


def test_a_forked_child_finds_zeros_and_an_arena_that_has_ended(in_child) -> None:
    with SecretArena() as arena, SecretArena() as lent:
        secret = arena.take(bytearray(b"k" * 8))
        memoryview_held = memoryview(lent.take(bytearray(b"l" * 8)))

        def work() -> int:
            try:
                secret[0]
            except ffi.LifetimeError:
                return 1 if arena.closed and not any(memoryview_held) else 2
            return 3

        assert in_child(work) == 1
        assert secret[7] == ord("k") and memoryview_held[0] == ord("l")
        memoryview_held.release()


def test_a_child_of_another_fork_finds_zeros(compile_library) -> None:
    library = ffi.Library(
        compile_library(
            """
            #include <stddef.h>
            #include <sys/wait.h>
            #include <unistd.h>
            /* What a child that C forks sees: the number of bytes that are not zero. */
            int count_in_child(const unsigned char *bytes, size_t size) {
                int status, child = fork();
                if (child == 0) {
                    int count = 0;
                    for (size_t i = 0; i < size; i++) count += bytes[i] != 0;
                    _exit(count);
                }
                waitpid(child, &status, 0);
                return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            }
            """
        )
    )
    count = library.bind("count_in_child", c.int, [ffi.Pointer[c.uint8], c.size_t])
    with SecretArena() as arena, ffi.memory(c.uint8, 8) as plain:
        plain[0:8] = b"plainest"
        assert count(plain, 8) == 8
        assert count(arena.take(bytearray(b"secretly")), 8) == 0


def test_what_is_taken_is_wiped_where_it_was() -> None:
    data = bytearray(b"password")
    words = ffi.array(c.uint16, [1, 2, 3])
    with SecretArena() as arena:
        assert bytes(arena.take(data)) == b"password" and data == bytes(8)
        assert bytes(arena.take(words)) == b"\1\0\2\0\3\0" and list(words) == [0, 0, 0]
        assert len(arena.take(bytearray())) == 0
        for wrong in (b"password", memoryview(b"x"), "text", 5, None):
            with pytest.raises(TypeError):
                arena.take(wrong)
    with pytest.raises(ffi.LifetimeError):
        arena.take(kept := bytearray(b"kept"))
    assert kept == b"kept"


def test_an_arena_can_be_wiped_and_used_on() -> None:
    arena = SecretArena()
    first, big = arena.take(bytearray(b"abc")), arena.alloc(c.uint8, 2 * PAGE_SIZE)
    big[2 * PAGE_SIZE - 1] = 1
    arena.wipe()
    assert read_memory(first.address, 3) == bytes(3) and not any(big)
    first[0] = 5
    assert first[0] == 5
    arena.close()
    arena.close()
    with pytest.raises(ffi.LifetimeError, match="the arena is closed"):
        arena.wipe()


def test_memory_in_use_by_a_buffer_stays() -> None:
    arena = SecretArena()
    view = memoryview(arena.take(bytearray(b"abc")))
    with pytest.raises(BufferError):
        arena.close()
    assert bytes(view) == b"abc" and not arena.closed
    view.release()
    arena.close()


def test_an_arena_that_is_dropped_lives_as_long_as_its_pointers() -> None:
    arena = SecretArena()
    secret = arena.take(bytearray(b"abc"))
    alive = weakref.ref(arena)
    del arena
    gc.collect()
    assert alive() is not None and secret[0] == ord("a")
    del secret
    gc.collect()
    assert alive() is None


def test_an_arena_in_a_cycle_is_wiped_once_and_used_no_more() -> None:
    seen = []

    class User:
        """Its finalizer may run before or after the arena's."""

        def __del__(self) -> None:
            try:
                seen.append(self.secret[0])
            except ffi.LifetimeError:
                seen.append(None)
            self.arena.close()

    for _ in range(3):
        user = User()
        user.arena = SecretArena()
        user.secret, user.itself = user.arena.take(bytearray(b"abc")), user
        later = User()
        later.arena, later.secret, later.itself = user.arena, user.secret, later
        del user, later
        gc.collect()
    assert len(seen) == 6 and set(seen) <= {None, ord("a")}


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_confined_arena_belongs_to_its_thread(in_child) -> None:
    arena = SecretArena(confined=True)
    secret = arena.take(bytearray(b"abc"))
    raised = []

    def use() -> None:
        for attempt in (lambda: secret[0], lambda: arena.alloc(c.int)):
            try:
                attempt()
            except ffi.LifetimeError as error:
                raised.append(str(error))
        # A child of this thread is not of the thread that the arena belongs to.
        raised.append(in_child(lambda: 0 if any(read_memory(secret.address, 3)) else 5))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert len(raised) == 3 and "confined" in raised[0] and "confined" in raised[1] and raised[2] == 5
    arena.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_forking_while_others_allocate_does_not_hang(in_child) -> None:
    arena = SecretArena(lock=False)
    stop = threading.Event()

    def allocate() -> None:
        while not stop.is_set():
            arena.alloc(c.uint8, 1, align=16)  # by Python code, which holds the arena's lock

    threads = [threading.Thread(target=allocate) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert [in_child(lambda: arena.closed + 2 * threading.active_count()) for _ in range(20)] == [3] * 20
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        arena.close()


def test_nothing_is_left_behind() -> None:
    def cycle() -> None:
        with SecretArena() as arena:
            arena.take(bytearray(b"abc"))
            arena.alloc(c.uint8, 10 * PAGE_SIZE)

    cycle()
    before = len(mappings())
    for _ in range(100):
        cycle()
    assert len(mappings()) <= before + 2


def test_other_systems_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UnsupportedPlatformError, match=r"SecretArena needs Linux.*win32"):
        SecretArena()
    monkeypatch.undo()
    with pytest.raises(ffi.LayoutError):
        SecretArena().alloc(c.int, -1)


def test_a_secret_alive_at_the_end_of_the_interpreter_does_no_harm(run: Callable[..., str]) -> None:
    for how in ("sys.exit(0)", "pass", "arena.__class__.keep = arena"):
        run(
            "import sys\n"
            "from epsilon.foreign.ext.platform import SecretArena\n"
            "arena = SecretArena(); secret = arena.take(bytearray(b'abc'))\n"
            "class Late:\n    keep = arena\n    def __del__(self): self.keep.close()\n"
            f"late = Late(); cycle = [late]; cycle.append(cycle)\n{how.replace('arena.__class__', 'Late')}\n"
        )
