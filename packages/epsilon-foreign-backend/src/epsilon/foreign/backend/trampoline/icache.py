"""Making written code visible to instruction fetch.

x86-64 needs nothing: stores are seen by fetches of the same address space, and no stub is ever overwritten
(Intel SDM 3A, 12.6; AMD64 APM 2, 7.6.1). AArch64 needs the data cache cleaned and the instruction cache
invalidated to the point of unification, line by line, by the address that will be executed (Arm ARM DDI 0487,
B2.7.4.2). Data caches behave as physically tagged, so cleaning by the executable view covers what was written
through another view of the same page; instruction caches need not, so that view it must be.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

from . import mapping

#: A leaf function (x0 = start, x1 = bytes): no C library call does this that is present everywhere, and
#: libgcc's `__clear_cache` is absent where libgcc_s is. CTR_EL0 holds log2 of both line sizes in words.
FLUSH_AARCH64: tuple[tuple[int, str], ...] = (
    (0xD53B0023, "mrs x3, ctr_el0"),
    (0x8B010002, "add x2, x0, x1"),
    (0xD2800084, "mov x4, #4"),
    (0xD3504C65, "ubfx x5, x3, #16, #4"),
    (0x9AC52085, "lsl x5, x4, x5"),
    (0xD10004A6, "sub x6, x5, #1"),
    (0x8A260006, "bic x6, x0, x6"),
    (0xD50B7B26, "dc cvau, x6"),
    (0x8B0500C6, "add x6, x6, x5"),
    (0xEB0200DF, "cmp x6, x2"),
    (0x54FFFFA3, "b.lo #-12"),
    (0xD5033B9F, "dsb ish"),
    (0x92400C65, "and x5, x3, #15"),
    (0x9AC52085, "lsl x5, x4, x5"),
    (0xD10004A6, "sub x6, x5, #1"),
    (0x8A260006, "bic x6, x0, x6"),
    (0xD50B7526, "ic ivau, x6"),
    (0x8B0500C6, "add x6, x6, x5"),
    (0xEB0200DF, "cmp x6, x2"),
    (0x54FFFFA3, "b.lo #-12"),
    (0xD5033B9F, "dsb ish"),
    (0xD5033FDF, "isb"),
    (0xD65F03C0, "ret"),
)

_COHERENT = ("x86_64", "amd64")
_AARCH64 = ("aarch64", "arm64")

Flush = Callable[[int, int], object]

_MEMBARRIER = 283
_REGISTER_SYNC_CORE = 1 << 6
_SYNC_CORE = 1 << 5


def flusher(machine: str | None = None) -> Flush | None:
    """A function ``(address, size)`` to run over new code before it is called; None where nothing is needed.

    Raises `ExecutableMemoryError` for an unknown processor, or when the page for that function itself is
    refused.
    """
    machine = (machine or os.uname().machine).lower()
    if machine in _COHERENT:
        return None
    if machine not in _AARCH64:
        raise mapping.ExecutableMemoryError(f"no executable memory: unknown processor {machine!r}")
    return _flusher_aarch64()


def _flusher_aarch64() -> Flush:
    code = b"".join(word.to_bytes(4, "little") for word, _ in FLUSH_AARCH64)
    # Its own page needs no flush: Linux makes a page coherent when it first becomes executable
    # (arch/arm64/mm/flush.c, __sync_icache_dcache), and this page is written once, before that.
    page = mapping.map_private(mapping.PAGE)
    ctypes.memmove(page, code, len(code))
    try:
        mapping.protect(page, mapping.PAGE, mapping.READ | mapping.EXECUTE)
    except mapping.ExecutableMemoryError:
        mapping.unmap(page, mapping.PAGE)
        raise
    clean = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)(page)
    system_call = mapping.libc().syscall
    system_call(_MEMBARRIER, _REGISTER_SYNC_CORE, 0, 0)

    def flush(address: int, size: int) -> None:
        clean(address, size)
        # The other cores may have fetched ahead: let them synchronise their context too. A kernel without
        # this command (before 4.16) refuses, and then they do so at their next exception at the latest.
        system_call(_MEMBARRIER, _SYNC_CORE, 0, 0)

    return flush
