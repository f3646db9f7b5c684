"""Executable memory for stubs: write once, run for ever.

A chunk is one piece of memory mapped twice: an executable view, which code runs from and nobody can write to,
and a writing view, which is accessible only while a stub is being copied in. So pages that other threads are
running are never touched by a change of protection, several stubs share a page, and no address is ever
writable and executable at once. Where the kernel refuses the file behind such a chunk, every stub gets pages
of its own that are written first and made executable afterwards.

The two views share their pages with a forked child too. The child must not write there, so the writing view
is left out of forks (MADV_DONTFORK, https://man7.org/linux/man-pages/man2/madvise.2.html), and a process that
finds itself a child starts a new chunk; stubs it inherited keep working.

Stubs are cached for each signature and live as long as the process, so nothing is ever freed.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable
from typing import NamedTuple

from ..locks import ProcessLock
from . import icache, mapping
from .mapping import ExecutableMemoryError

__all__ = ["Block", "CodeHeap", "ExecutableMemoryError", "HeapStatistics"]

#: What is mapped at a time, in bytes: room for some 200 stubs.
CHUNK = 64 * 1024
#: What may be mapped in all, in bytes.
LIMIT = 64 * 1024 * 1024
#: A stub starts on a cache line of its own: flushing one never touches another that is running.
ALIGNMENT = 64


class Block(NamedTuple):
    """A piece of code in the heap: its address, its size in bytes and what it is called in listings."""

    address: int
    size: int
    name: str
    code_size: int | None = None
    """Bytes of instructions; a pool of constants follows. None where that is unknown."""


class HeapStatistics(NamedTuple):
    """How much there is: `mapped_bytes` counts what the views occupy in memory once, whole pages."""

    stubs: int
    code_bytes: int
    mapped_bytes: int
    strategy: str
    """``"dual"``: chunks with two views; ``"pages"``: pages for each stub."""


class _Chunk:
    """Memory seen twice: code is written through one view and runs in the other."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.used = 0
        descriptor = mapping.anonymous_file(size)
        try:
            self._writing = mapping.map_shared(size, mapping.READ | mapping.WRITE, descriptor)
            try:
                mapping.leave_out_of_forks(self._writing, size)
                mapping.protect(self._writing, size, mapping.NONE)
                self.address = mapping.map_shared(size, mapping.READ | mapping.EXECUTE, descriptor)
            except ExecutableMemoryError:
                mapping.unmap(self._writing, size)
                raise
        finally:
            os.close(descriptor)

    def has_room(self, size: int) -> bool:
        return self.used + size <= self.size

    def write(self, code: bytes) -> int:
        start = self.used
        mapping.protect(self._writing, self.size, mapping.READ | mapping.WRITE)
        try:
            ctypes.memmove(self._writing + start, code, len(code))
        finally:
            mapping.protect(self._writing, self.size, mapping.NONE)
        self.used = -(-(start + len(code)) // ALIGNMENT) * ALIGNMENT
        return self.address + start


def _write_pages(code: bytes) -> int:
    """Code in private pages of its own, executable from now on."""
    size = mapping.round_to_pages(len(code))
    address = mapping.map_private(size)
    try:
        ctypes.memmove(address, code, len(code))
        mapping.protect(address, size, mapping.READ | mapping.EXECUTE)
    except ExecutableMemoryError:
        mapping.unmap(address, size)
        raise
    return address


class CodeHeap:
    """Where stubs live. Safe to use from many threads and after fork.

    `chunk` and `limit` are in bytes.
    """

    def __init__(self, *, chunk: int = CHUNK, limit: int = LIMIT) -> None:
        self._lock = ProcessLock()
        self._busy = False
        self._pid = os.getpid()
        self._chunk_size = chunk
        self._limit = limit
        self._chunk: _Chunk | None = None
        self._dual_refused: ExecutableMemoryError | None = None
        self._flush: icache.Flush | None = None
        self._ready = False
        self._mapped = 0
        self._blocks: dict[int, Block] = {}
        self._observers: list[Callable[[Block], object]] = []
        if hasattr(os, "register_at_fork"):
            after_fork = weakref.WeakMethod(self._start_over)
            os.register_at_fork(after_in_child=lambda: (method := after_fork()) and method())

    def allocate(self, code: bytes, name: str = "stub") -> int:
        """Copy position-independent machine code into executable memory and return its address.

        It starts on a boundary of 64 bytes. Raises `ExecutableMemoryError` when the operating system refuses
        the memory, or when the heap has reached its limit.
        """
        if not code:
            raise ValueError("no code to allocate")
        with self._lock:
            if os.getpid() != self._pid:
                # A child made by a fork(2) that Python did not see, so `_start_over` did not run.
                self._start_over()
            if not self._ready:
                self._flush = icache.flusher()
                self._ready = True
            address = self._place_apart(code) if self._busy else self._place(code)
            if self._flush is not None:
                self._flush(address, len(code))
            block = self._blocks[address] = Block(address, len(code), name, getattr(code, "code_size", None))
            observers = tuple(self._observers)
        for observe in observers:
            observe(block)
        return address

    def _place(self, code: bytes) -> int:
        """Where there is room; `_busy` says so to whoever interrupts this on the same thread."""
        self._busy = True
        try:
            if self._dual_refused is None:
                if self._chunk is None or not self._chunk.has_room(len(code)):
                    self._chunk = self._new_chunk(len(code))
                if self._chunk is not None:
                    return self._chunk.write(code)
        finally:
            self._busy = False
        return self._place_apart(code)

    def _place_apart(self, code: bytes) -> int:
        """On pages of its own: needs nothing that an interrupted `_place` may have left half done."""
        size = mapping.round_to_pages(len(code))
        self._check_limit(size)
        try:
            address = _write_pages(code)
        except ExecutableMemoryError as error:
            refused = f" (and with two views: {self._dual_refused})" if self._dual_refused else ""
            raise ExecutableMemoryError(f"{error}{refused}") from None
        self._mapped += size
        return address

    def _new_chunk(self, size: int) -> _Chunk | None:
        """A chunk with room for `size` bytes, or None where two views are refused: from then on for good."""
        wanted = mapping.round_to_pages(max(size, self._chunk_size))
        self._check_limit(wanted)
        try:
            chunk = _Chunk(wanted)
        except ExecutableMemoryError as error:
            self._dual_refused = error.with_traceback(None)
            return None
        self._mapped += wanted
        return chunk

    def _check_limit(self, size: int) -> None:
        if self._mapped + size > self._limit:
            raise ExecutableMemoryError(
                f"no executable memory: {self._mapped} bytes are mapped and {size} more "
                f"would exceed the limit of {self._limit}"
            )

    def _start_over(self) -> None:
        """In a forked child: the chunk is the parent's to write, and whoever was busy is not here."""
        self._chunk = None
        self._busy = False
        self._pid = os.getpid()

    def subscribe(self, observer: Callable[[Block], object]) -> None:
        """Call ``observer(block)`` for every block there is and for every new one."""
        with self._lock:
            known = list(self._blocks.values())
            self._observers.append(observer)
        for block in known:
            observer(block)

    def unsubscribe(self, observer: Callable[[Block], object]) -> None:
        """Undo `subscribe`. Raises ValueError when it was not subscribed."""
        with self._lock:
            self._observers.remove(observer)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Everything allocated, oldest first."""
        with self._lock:
            return tuple(self._blocks.values())

    def block(self, address: int) -> Block:
        """The block at `address`. Raises LookupError when there is none."""
        block = self._blocks.get(address)
        if block is None:
            raise LookupError(f"no code was allocated at {address:#x}")
        return block

    def code(self, address: int) -> bytes:
        """The machine code of the block at `address`. Raises LookupError when there is none."""
        return ctypes.string_at(address, self.block(address).size)

    @property
    def statistics(self) -> HeapStatistics:
        """How much code there is, and how it is kept."""
        blocks = self.blocks
        strategy = "dual" if self._dual_refused is None else "pages"
        return HeapStatistics(len(blocks), sum(b.size for b in blocks), self._mapped, strategy)
