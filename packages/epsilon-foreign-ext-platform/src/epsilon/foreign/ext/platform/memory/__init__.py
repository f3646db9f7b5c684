"""Memory as the system gives it: mappings, their rights, memory that stays in RAM, and memory for secrets.

>>> from epsilon.foreign.api import c
>>> from epsilon.foreign.ext.platform import memory
>>> with memory.map(1 << 20) as region:
...     numbers = region.array(c.double, 1000)
...     numbers[999] = 0.5
...     region.protect(memory.Protection.READ)
...     print(region.array(c.double, 1000)[999])
0.5
"""

from __future__ import annotations

from epsilon.foreign.runtime import lazy_names

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from .advice import Advice
    from .hugepages import HugePages, huge_pages
    from .locking import PageLock, lock
    from .pages import PAGE_SIZE
    from .procmaps import MemoryMapping, mapping_at, mappings
    from .protection import Protection
    from .region import Region, map
    from .secrets import SecretArena
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".advice": "Advice",
            ".hugepages": "HugePages huge_pages",
            ".locking": "PageLock lock",
            ".procmaps": "MemoryMapping mapping_at mappings",
            ".pages": "PAGE_SIZE",
            ".protection": "Protection",
            ".region": "Region map",
            ".secrets": "SecretArena",
        },
    )

__all__ = [
    "PAGE_SIZE",
    "Advice",
    "HugePages",
    "MemoryMapping",
    "PageLock",
    "Protection",
    "Region",
    "SecretArena",
    "huge_pages",
    "lock",
    "map",
    "mapping_at",
    "mappings",
]
