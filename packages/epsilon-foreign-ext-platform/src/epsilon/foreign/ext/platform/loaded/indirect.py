"""The functions behind indirect symbols: ``memcpy`` is chosen for the processor when it is first looked up.

What is chosen has no exported name of its own (STT_GNU_IFUNC, https://sourceware.org/glibc/wiki/GNU_IFUNC), so asking
the loader what is at its address leads nowhere; asking it for each indirect symbol does.
"""

from __future__ import annotations

import functools
import os

from epsilon.foreign.api import get_backend

from ..elf.dynamic import Dynamic
from ..elf.errors import ElfError
from ..elf.file import Elf
from ..elf.symbols import exported

#: Opens what is loaded already, and nothing else (dlopen(3)).
_RTLD_NOLOAD = 4


def indirect_name(path: str, base: int, address: int) -> str | None:
    """The indirect symbol of a loaded library whose function begins at an address."""
    return _functions(path, base).get(address)


@functools.lru_cache(maxsize=64)
def _functions(path: str, base: int) -> dict[int, str]:
    """What the indirect symbols of the library at `base` stand for, by address; of several names the shortest."""
    try:
        with Elf.open(path) as elf:
            names = {symbol.name for symbol in exported(Dynamic(elf)) if symbol.indirect and symbol.default}
        if not names:
            return {}
        backend = get_backend("ctypes")
        handle = backend.dlopen(path, os.RTLD_LAZY | _RTLD_NOLOAD)
    except (OSError, ElfError):
        return {}
    found: dict[int, str] = {}
    try:
        for name in sorted(names, key=lambda name: (-len(name), name)):
            try:
                found[backend.dlsym(handle, name)] = name
            except LookupError:
                continue
    finally:
        backend.dlclose(handle)
    return found
