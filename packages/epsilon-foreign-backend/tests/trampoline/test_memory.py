"""Executable memory: it runs, it is never writable and executable at once, and it survives threads and
forks."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from epsilon.foreign.backend import BackendUnavailableError
from epsilon.foreign.backend.trampoline import icache, mapping
from epsilon.foreign.backend.trampoline.memory import Block, CodeHeap, ExecutableMemoryError
from hand_stubs import MACHINE, constant

CHUNK = 64 * 1024


def run(address: int) -> int:
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())


def rights(address: int) -> str:
    """The protection column of /proc/self/maps for the page at `address`."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        if start <= address < end:
            return line.split()[1]
    return "unmapped"


def in_child(check: object) -> int:
    """Fork, run `check` in the child, and return its exit status: 0 when it returned true."""
    assert callable(check)
    child = os.fork()
    if child == 0:
        status = 3
        try:
            status = 0 if check() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def without_two_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel without memfd_create, or a policy against it, does."""

    def refuse(size: int) -> int:
        raise ExecutableMemoryError("no executable memory: memfd_create: Operation not permitted")

    monkeypatch.setattr(mapping, "anonymous_file", refuse)


def test_allocated_code_runs() -> None:
    heap = CodeHeap()
    assert [run(heap.allocate(constant(n))) for n in (1, 42, 65535)] == [1, 42, 65535]


def test_code_can_be_read_back_and_is_listed() -> None:
    heap = CodeHeap()
    address = heap.allocate(constant(7), "seven")
    assert heap.code(address) == constant(7)
    assert heap.blocks == (Block(address, len(constant(7)), "seven"),)
    assert heap.block(address) is heap.blocks[0]
    with pytest.raises(LookupError, match="0x10"):
        heap.code(0x10)


@pytest.mark.parametrize("within", ["protect", "map_shared"])
def test_code_may_be_allocated_in_the_middle_of_an_allocation(
    within: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a finalizer or a signal handler does that calls a foreign function for the first time."""
    heap = CodeHeap()
    nested: list[int] = []
    original = getattr(mapping, within)

    def interrupted(*args: int) -> object:
        if not nested:
            nested.append(0)
            nested[0] = heap.allocate(constant(2))
        return original(*args)

    monkeypatch.setattr(mapping, within, interrupted)
    outer = heap.allocate(constant(1))
    assert [run(outer), run(nested[0]), run(heap.allocate(constant(3)))] == [1, 2, 3]
    assert len(heap.blocks) == 3


def test_stubs_start_on_cache_lines_of_their_own() -> None:
    heap = CodeHeap()
    first, second = heap.allocate(constant(1)), heap.allocate(constant(2))
    assert first % 64 == second % 64 == 0
    assert second - first == 64


def test_no_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no code"):
        CodeHeap().allocate(b"")


def test_no_address_is_writable_and_executable() -> None:
    heap = CodeHeap()
    address = heap.allocate(constant(1))
    assert rights(address) == "r-xs"
    assert heap._chunk is not None
    assert rights(heap._chunk._writing) == "---s"


def test_the_writing_view_is_never_executable_while_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    protect, shared = mapping.protect, mapping.map_shared
    monkeypatch.setattr(mapping, "protect", lambda a, s, p: (asked.append(p), protect(a, s, p))[1])
    monkeypatch.setattr(mapping, "map_shared", lambda s, p, d: (asked.append(p), shared(s, p, d))[1])
    CodeHeap().allocate(constant(1))
    assert asked
    assert not any(p & mapping.WRITE and p & mapping.EXECUTE for p in asked)


def test_many_stubs_share_chunks() -> None:
    heap = CodeHeap()
    addresses = [heap.allocate(constant(n)) for n in range(2000)]
    assert [run(a) for a in addresses] == list(range(2000))
    statistics = heap.statistics
    assert (statistics.stubs, statistics.strategy) == (2000, "dual")
    assert statistics.code_bytes == 2000 * len(constant(0))
    assert statistics.mapped_bytes == 2 * CHUNK


def test_two_hundred_signatures_of_400_bytes_stay_within_half_a_megabyte() -> None:
    heap = CodeHeap()
    for _ in range(200):
        heap.allocate(constant(1).ljust(400, b"\0"))
    assert heap.statistics.mapped_bytes <= 512 * 1024


def test_code_larger_than_a_chunk_gets_one_that_fits() -> None:
    heap = CodeHeap(chunk=4096)
    assert run(heap.allocate(constant(9).ljust(100_000, b"\0"))) == 9
    assert run(heap.allocate(constant(8))) == 8


def test_the_limit_is_an_error_that_says_so() -> None:
    heap = CodeHeap(limit=CHUNK)
    heap.allocate(constant(1).ljust(CHUNK, b"\0"))
    with pytest.raises(ExecutableMemoryError, match=f"{CHUNK} more would exceed the limit of {CHUNK}"):
        heap.allocate(constant(1))
    assert heap.statistics.strategy == "dual"


def test_without_memfd_every_stub_has_pages_of_its_own(without_two_views: None) -> None:
    heap = CodeHeap()
    addresses = [heap.allocate(constant(n)) for n in range(10)]
    assert [run(a) for a in addresses] == list(range(10))
    assert {rights(a) for a in addresses} == {"r-xp"}
    assert heap.statistics.strategy == "pages"
    assert heap.statistics.mapped_bytes == 10 * mapping.PAGE


def test_refused_mprotect_is_an_unavailable_backend(
    without_two_views: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    heap = CodeHeap()
    heap.allocate(constant(1))
    monkeypatch.setattr(mapping, "libc", lambda: Refusing("mprotect"))
    with pytest.raises(BackendUnavailableError, match=r"mprotect r-x: Permission denied.*memfd_create"):
        heap.allocate(constant(2))
    assert heap.statistics[:3] == (1, len(constant(1)), mapping.PAGE)


def test_refused_mmap_is_an_unavailable_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    heap = CodeHeap()
    monkeypatch.setattr(mapping, "libc", lambda: Refusing("mmap"))
    with pytest.raises(ExecutableMemoryError, match=r"mmap of \d+ bytes rw-: Permission denied"):
        heap.allocate(constant(1))


class Refusing:
    """The C library with one call that the kernel refuses."""

    def __init__(self, name: str) -> None:
        self._real = ctypes.CDLL(None, use_errno=True)
        self._real.mmap.restype = self._real.munmap.restype = ctypes.c_void_p
        self._real.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_int64)
        self._real.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        self._name = name

    def __getattr__(self, name: str) -> object:
        if name != self._name:
            return getattr(self._real, name)

        def refuse(*args: object) -> int:
            ctypes.set_errno(13)
            return -1 if name != "mmap" else ctypes.c_void_p(-1).value or 0

        return refuse


MDWE = """
import ctypes, sys
sys.path[:0] = {path!r}
# PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN: no page may become executable later.
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit(77)
from epsilon.foreign.backend.trampoline import mapping
from epsilon.foreign.backend.trampoline.memory import CodeHeap, ExecutableMemoryError
code = bytes.fromhex({code!r})
assert ctypes.CFUNCTYPE(ctypes.c_int)(CodeHeap().allocate(code))() == 42
def refuse(size):
    raise ExecutableMemoryError("no memfd")
mapping.anonymous_file = refuse
try:
    CodeHeap().allocate(code)
except ExecutableMemoryError as error:
    print(error)
"""


@pytest.mark.skipif(MACHINE != "x86_64", reason="AArch64's cache routine needs a page to become executable")
def test_two_views_work_where_the_kernel_refuses_pages_that_become_executable() -> None:
    script = MDWE.format(path=sys.path, code=constant(42).hex())
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert done.returncode == 0, done.stderr
    assert "mprotect r-x: Permission denied" in done.stdout


def test_other_systems_are_named_as_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "_library", None)
    monkeypatch.setattr(mapping.sys, "platform", "darwin")
    with pytest.raises(ExecutableMemoryError, match="not supported on macOS yet"):
        mapping.libc()


def test_a_child_writes_into_memory_of_its_own() -> None:
    heap = CodeHeap()
    inherited = heap.allocate(constant(1))

    def child() -> bool:
        made = heap.allocate(constant(77))
        return run(made) == 77 and run(inherited) == 1 and abs(made - inherited) >= CHUNK

    assert in_child(child) == 0
    assert ctypes.string_at(inherited + 64, 64) == bytes(64), "the child wrote into its parent's code"
    own = heap.allocate(constant(2))
    assert own == inherited + 64
    assert run(own) == 2


def test_a_child_has_no_writing_view() -> None:
    heap = CodeHeap()
    heap.allocate(constant(1))
    assert heap._chunk is not None
    if mapping.libc().madvise(heap._chunk._writing, CHUNK, 9999) == 0:
        pytest.skip("this system accepts any advice, as qemu's user mode does, and follows none")
    writing = heap._chunk._writing
    assert in_child(lambda: rights(writing) == "unmapped") == 0


def test_a_fork_that_python_does_not_see_is_noticed() -> None:
    heap = CodeHeap()
    inherited = heap.allocate(constant(1))
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        status = 3
        try:
            made = heap.allocate(constant(77))
            status = 0 if run(made) == 77 and run(inherited) == 1 else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ctypes.string_at(inherited + 64, 64) == bytes(64)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_forked_while_a_thread_allocates_can_allocate() -> None:
    heap = CodeHeap()
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            heap.allocate(constant(5))

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        statuses = [in_child(lambda: run(heap.allocate(constant(6))) == 6) for _ in range(20)]
    finally:
        stop.set()
        thread.join()
    assert statuses == [0] * 20


def test_threads_get_code_of_their_own() -> None:
    heap = CodeHeap()
    results: dict[int, list[int]] = {}
    barrier = threading.Barrier(8)

    def work(k: int) -> None:
        barrier.wait()
        results[k] = [run(heap.allocate(constant(100 * k + i))) for i in range(100)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: [100 * k + i for i in range(100)] for k in range(8)}
    assert len({b.address for b in heap.blocks}) == 800


def test_observers_see_old_and_new_blocks() -> None:
    heap = CodeHeap()
    seen: list[str] = []
    heap.allocate(constant(1), "old")
    observer = lambda block: seen.append(block.name)  # noqa: E731
    heap.subscribe(observer)
    heap.allocate(constant(1), "new")
    heap.unsubscribe(observer)
    heap.allocate(constant(1), "unseen")
    assert seen == ["old", "new"]


def test_the_aarch64_cache_routine_is_what_its_comments_say() -> None:
    capstone = pytest.importorskip("capstone", reason="capstone reads the routine back")
    engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    code = b"".join(word.to_bytes(4, "little") for word, _ in icache.FLUSH_AARCH64)
    read = []
    for start, _, mnemonic, operands in engine.disasm_lite(code, 0):
        if mnemonic.startswith("b."):
            operands = f"#{int(operands.lstrip('#'), 0) - start}"
        operands = re.sub("#0x[0-9a-f]+", lambda number: f"#{int(number[0][1:], 16)}", operands)
        read.append(f"{mnemonic} {operands}".strip())
    assert read == [text for _, text in icache.FLUSH_AARCH64]


def test_the_caches_of_an_unknown_processor_are_not_guessed_at() -> None:
    assert icache.flusher("x86_64") is None
    with pytest.raises(ExecutableMemoryError, match="unknown processor 'riscv64'"):
        icache.flusher("riscv64")


@pytest.mark.skipif(MACHINE != "aarch64", reason="runs AArch64 code")
def test_the_aarch64_cache_routine_runs_over_any_range() -> None:
    flush = icache.flusher()
    assert flush is not None
    buffer = ctypes.create_string_buffer(4096)
    for start in (0, 1, 63):
        for size in (1, 64, 65, 3000):
            flush(ctypes.addressof(buffer) + start, size)
