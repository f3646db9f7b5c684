"""Reading off an object what a stub that makes others like it must copy."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

from ..heaptype import WORD
from ..memobject import MEMORY
from .codegen import Likeness

_OWN = (MEMORY.address, MEMORY.lower, MEMORY.upper)


def likeness(template: Any, size: int | None = None) -> Likeness:
    """Which of the template's words are not 0, apart from its address and bounds, which every object has its own of.

    References among them must be to None. `size` is the part of the object that counts, in bytes.
    """
    head = object.__basicsize__
    size = size or _words_end(template)
    words = struct.unpack(f"<{(size - head) // WORD}Q", ctypes.string_at(id(template) + head, size - head))
    taken = {head + WORD * i: word for i, word in enumerate(words) if word and head + WORD * i not in _OWN}
    others = tuple([at for at in range(head, size, WORD) if at not in taken and at not in _OWN])
    weak: int = type(template).__weakrefoffset__
    if weak < 0:  # the list of weak references, which may lie in front of the object (3.12)
        others += (weak,)
    return Likeness(tuple(taken), list(taken.values()).count(id(None)), others)


def _words_end(template: Any) -> int:
    """Where the object's own words end: before any data that it holds itself."""
    address: int = template._address - id(template)
    size: int = type(template).__basicsize__
    return address if 0 < address < size else size
