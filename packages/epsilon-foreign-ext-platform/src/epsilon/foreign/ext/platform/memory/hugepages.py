"""Huge pages: https://docs.kernel.org/admin-guide/mm/hugetlbpage.html and .../transhuge.html"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from epsilon.foreign.api import ArgumentValueError

from .pages import PAGE_SIZE

#: A folder for each size that the kernel and the processor support.
POOLS = Path("/sys/kernel/mm/hugepages")
#: The size of the pages that transparent huge pages are made of.
TRANSPARENT = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
#: `MAP_HUGETLB`, and where its flags hold the logarithm of the size (include/uapi/asm-generic/hugetlb_encode.h).
_MAP_HUGETLB, _SIZE_SHIFT = 0x40000, 26


class HugePages(NamedTuple):
    """The pool of huge pages of one size, in pages."""

    size: int
    """Bytes of a page."""
    total: int
    """Pages that are set aside (``nr_hugepages``)."""
    free: int
    """Those of them that nobody uses; some may be promised (`reserved`)."""
    reserved: int


def huge_pages() -> list[HugePages]:
    """The pools of this system, by size; none where the system has no huge pages or is not Linux."""
    found = []
    for folder in POOLS.glob("hugepages-*kB"):
        size = re.fullmatch(r"hugepages-(\d+)kB", folder.name)
        if size:
            counts = [int((folder / f"{name}_hugepages").read_text()) for name in ("nr", "free", "resv")]
            found.append(HugePages(int(size[1]) * 1024, *counts))
    return sorted(found)


def transparent_size() -> int:
    """Bytes of a transparent huge page, which is also the alignment that one needs; 0 where there are none."""
    try:
        return int(TRANSPARENT.read_text())
    except OSError:
        return 0


def pool_flags(size: int) -> int:
    """The flags of mmap(2) for explicit huge pages of `size` bytes.

    Raises ArgumentValueError for a size that this system does not have, naming those it has.
    """
    sizes = [pool.size for pool in huge_pages()]
    if size not in sizes or size <= PAGE_SIZE:
        have = ", ".join(map(str, sizes)) or "none"
        raise ArgumentValueError(
            f"there are no huge pages of {size} bytes here; sizes of this system: {have}"
        )
    return _MAP_HUGETLB | (size.bit_length() - 1) << _SIZE_SHIFT


def pool_hint(size: int) -> str:
    """Why explicit huge pages could not be had."""
    pool = next((pool for pool in huge_pages() if pool.size == size), None)
    free = pool.free - pool.reserved if pool else 0
    return (
        f"{free} huge pages of {size} bytes are free; "
        f"{POOLS}/hugepages-{size // 1024}kB/nr_hugepages sets them aside, huge=True does without"
    )
