"""Kinds of memory: files, guard pages, huge pages, code, what children see; and what /proc says of it."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.api import c
from epsilon.foreign.ext.platform import UnsupportedPlatformError
from epsilon.foreign.ext.platform.memory import (
    PAGE_SIZE,
    Advice,
    Protection,
    huge_pages,
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


def test_a_file_is_mapped_from_an_offset_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"a" * PAGE_SIZE + b"tail")
    with path.open("r+b") as file:
        private = map(file=file, offset=PAGE_SIZE)
        shared = map(file=file.fileno(), shared=True)
    assert bytes(private.array()) == b"tail" and len(shared) == PAGE_SIZE + 4
    private.array()[0] = ord("T")
    shared.array()[0] = ord("A")
    shared.flush()
    assert path.read_bytes() == b"A" + b"a" * (PAGE_SIZE - 1) + b"tail"
    assert mapping_at(shared).path == str(path) and mapping_at(shared).shared
    assert mapping_at(private).offset == PAGE_SIZE
    private.close(), shared.close()


def test_what_lies_beyond_the_end_of_a_file_is_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"abc")
    with path.open("rb") as file:
        with pytest.raises(ffi.BoundsError, match="the file ends after 3"):
            map(4, file=file, protection=READ)
        with pytest.raises(ffi.BoundsError, match="the file ends after 0"):
            map(1, file=file, offset=PAGE_SIZE, protection=READ)
        with pytest.raises(ValueError, match="cannot map"):
            map(file=file, offset=PAGE_SIZE, protection=READ)
        with pytest.raises(PermissionError, match=r"EACCES.*opened"):
            map(file=file, shared=True)
        with map(file=file, protection=READ, shared=True) as region:
            with pytest.raises(PermissionError, match="EACCES"):
                region.protect(READ | WRITE)
            # The rights are what they were, and so are new pointers.
            assert region.protection() == READ and bytes(region.array()) == b"abc"
    read, write = os.pipe()
    with pytest.raises(OSError, match=r"ENODEV.*cannot be mapped"):
        map(1, file=read)
    with pytest.raises(ValueError, match="say how many bytes"):
        map(file=read)
    os.close(read), os.close(write)


def test_a_device_is_mapped_without_a_size_of_its_own() -> None:
    with open("/dev/zero", "r+b") as zero, map(PAGE_SIZE, file=zero) as region:
        assert not any(region.array())


def test_guard_pages_lie_on_both_sides() -> None:
    with map(PAGE_SIZE + 1, guard=True) as region:
        before, behind = mapping_at(region.address - 1), mapping_at(region.address + 2 * PAGE_SIZE)
        assert before.protection == behind.protection == Protection.NONE
        assert before.stop == region.address and behind.start == region.address + 2 * PAGE_SIZE
        region.array()[PAGE_SIZE] = 1
        start = region.address - PAGE_SIZE
    found = mapping_at(start)
    assert found is None or found.protection != Protection.NONE or found.stop - found.start > 4 * PAGE_SIZE


def test_code_that_runs_past_a_guarded_region_is_stopped_there(in_child: InChild) -> None:
    import signal

    memset = ffi.Library(None).bind("memset", None, [c.pointer, c.int, c.size_t])
    region = map(PAGE_SIZE, guard=True)

    def overrun() -> int:
        memset(region.address, 1, PAGE_SIZE + 1)
        return 0

    assert in_child(overrun) == -signal.SIGSEGV
    assert in_child(lambda: memset(region.address, 1, PAGE_SIZE) or 7) == 7
    region.close()


def test_shared_memory_is_seen_by_a_forked_child_and_private_memory_is_not(in_child: InChild) -> None:
    with map(PAGE_SIZE, shared=True) as shared, map(PAGE_SIZE) as private:
        ours, own = shared.array(c.int, 1), private.array(c.int, 1)

        def work() -> int:
            ours[0] = own[0] = 5
            return 0

        assert in_child(work) == 0
        assert ours[0] == 5 and own[0] == 0


def test_a_region_kept_from_children_has_ended_in_them(in_child: InChild) -> None:
    with map(PAGE_SIZE) as region:
        pointer = region.pointer(c.int)
        region.advise(Advice.DONTFORK)
        assert "dc" in mapping_at(region).flags
        address = region.address

        def work() -> int:
            try:
                pointer[0]
            except ffi.LifetimeError:
                return 1 if region.closed and mapping_at(address) is None else 2
            return 0

        assert in_child(work) == 1
        pointer[0] = 1


def test_advice_reaches_the_kernel() -> None:
    with map(2 * PAGE_SIZE, populate=True, guard=True) as region:
        assert mapping_at(region).resident == 2 * PAGE_SIZE
        region.array()[PAGE_SIZE] = 1
        region.advise(Advice.DONTNEED, PAGE_SIZE, PAGE_SIZE)
        assert mapping_at(region).resident == PAGE_SIZE and region.array()[PAGE_SIZE] == 0
        region.advise(Advice.DONTDUMP)
        assert "dd" in mapping_at(region).flags
        with pytest.raises(ValueError, match="999"):
            region.advise(999)  # type: ignore[arg-type]
    with map(PAGE_SIZE, shared=True) as shared, pytest.raises(OSError, match="EINVAL"):
        shared.advise(Advice.WIPEONFORK)


def test_transparent_huge_pages_are_aligned_and_advised() -> None:
    size = 1 << 21
    with map(2 * size, huge=True, populate=True) as region:
        found = mapping_at(region)
        mode = Path("/sys/kernel/mm/transparent_hugepage/enabled")
        if not mode.exists() or "[never]" in mode.read_text():
            pytest.skip("this kernel has no transparent huge pages, or they are turned off")
        assert region.address % size == 0 and region.page_size == PAGE_SIZE
        assert "hg" in found.flags and found.resident >= 2 * size
        assert found.huge > 0, "no huge page was used, although 4 MiB were asked for"


def test_pools_of_huge_pages_are_listed() -> None:
    pools = huge_pages()
    folder = Path("/sys/kernel/mm/hugepages")
    assert len(pools) == (len(list(folder.iterdir())) if folder.exists() else 0)
    for pool in pools:
        assert pool.size > PAGE_SIZE and pool.size & (pool.size - 1) == 0
        assert 0 <= pool.free <= pool.total


def test_explicit_huge_pages_are_had_or_refused_with_the_reason() -> None:
    pools = huge_pages()
    if not pools:
        pytest.skip("this kernel has no huge pages")
    pool = pools[0]
    if pool.free - pool.reserved < 1:
        with pytest.raises(OSError, match=r"0 huge pages of \d+ bytes are free.*nr_hugepages"):
            map(100, huge=pool.size)
        return
    with map(100, huge=pool.size, guard=True) as region:
        assert region.page_size == pool.size and region.address % pool.size == 0
        assert mapping_at(region).page_size == pool.size
        region.array()[99] = 1
        region.protect(READ)
        with pytest.raises(ffi.AlignmentError):
            region.protect(READ, PAGE_SIZE)


def test_named_memory_shows_its_name() -> None:
    with map(PAGE_SIZE, name="epsilon test", guard=True) as region:
        path = mapping_at(region).path
    if not path:
        pytest.skip("this kernel cannot name anonymous memory (CONFIG_ANON_VMA_NAME)")
    assert path == "[anon:epsilon test]"


def test_code_may_be_written_and_then_run() -> None:
    """``return argument + 1`` in machine code."""
    import platform

    code = {
        "x86_64": b"\x8d\x47\x01\xc3",  # lea eax, [rdi + 1]; ret
        "aarch64": b"\x00\x04\x00\x11\xc0\x03\x5f\xd6",  # add w0, w0, #1; ret
    }.get(platform.machine())
    if code is None:
        pytest.skip(f"no code for {platform.machine()} here")
    with map(PAGE_SIZE) as region:
        region.pointer(c.uint8, 0, len(code))[0 : len(code)] = code
        region.protect(READ | EXECUTE)
        assert ffi.shared_call(region.address, c.int, [c.int], 41) == 42
        assert region.protection().letters == "r-x"


def test_mappings_of_this_process_and_of_another_are_listed() -> None:
    ours = mappings()
    assert any(found.path == "[stack]" for found in ours)
    assert any(found.protection & EXECUTE and found.path for found in ours)
    starts = [found.start for found in ours]
    assert starts == sorted(starts) and all(found.size > 0 for found in ours)
    parents = mappings(os.getppid())
    assert parents != ours
    with pytest.raises(FileNotFoundError):
        mappings(1 << 22)
    assert mapping_at(0) is None
    value = pair(1, 2)
    assert mapping_at(value).start <= ffi.addressof(value) < mapping_at(value).stop


def test_mappings_need_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UnsupportedPlatformError, match=r"Linux.*darwin"):
        mappings()


def test_lines_of_smaps_are_parsed_and_others_passed_over() -> None:
    from epsilon.foreign.ext.platform.memory.procmaps import parse

    text = """garbage
7f00-8f00 rw-s 00001000 08:01 42                         /tmp/a file (deleted)
Size:                  4 kB
Rss:                   8 kB
Locked:                4 kB
Rubbish
VmFlags: rd wr lo
8f00-9f00 ---p 00000000 00:00 0 
9f00-af00 r-xp 00000000 00:00 0                          [vdso]
"""
    first, second, third = parse(text.splitlines())
    assert first == (
        0x7F00, 0x8F00, READ | WRITE, True, 0x1000, 42, "/tmp/a file (deleted)", 8192, 4096, None, None,
        frozenset({"rd", "wr", "lo"}),
    )  # fmt: skip
    assert second.protection == Protection.NONE and second.path == "" and second.resident is None
    assert third.protection.letters == "r-x" and third.path == "[vdso]"


def test_page_size_is_the_systems() -> None:
    assert PAGE_SIZE == mmap.PAGESIZE
