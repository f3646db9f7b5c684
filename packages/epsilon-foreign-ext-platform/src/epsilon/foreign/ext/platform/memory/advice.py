"""What a program tells the kernel of its pages: https://man7.org/linux/man-pages/man2/madvise.2.html"""

from __future__ import annotations

import enum


class Advice(enum.IntEnum):
    """``MADV_…`` with Linux' numbers (include/uapi/asm-generic/mman-common.h; the same on x86, ARM, RISC-V)."""

    NORMAL = 0
    RANDOM = 1
    SEQUENTIAL = 2
    WILLNEED = 3
    #: Give the content back now: private pages read as zeros afterwards, those of a file as the file.
    DONTNEED = 4
    #: As DONTNEED, when the kernel needs the memory.
    FREE = 8
    #: A forked child does not have these pages; in it, the region and its pointers have ended.
    DONTFORK = 10
    DOFORK = 11
    MERGEABLE = 12
    UNMERGEABLE = 13
    HUGEPAGE = 14
    NOHUGEPAGE = 15
    #: Leave these pages out of core dumps.
    DONTDUMP = 16
    DODUMP = 17
    #: A forked child finds zeros here. Linux 4.14.
    WIPEONFORK = 18
    KEEPONFORK = 19
    #: Linux 5.4.
    COLD = 20
    PAGEOUT = 21
    #: Have the pages now rather than at the first access, and hear of failure. Linux 5.14.
    POPULATE_READ = 22
    POPULATE_WRITE = 23
    #: Make huge pages of these pages now. Linux 6.1.
    COLLAPSE = 25
