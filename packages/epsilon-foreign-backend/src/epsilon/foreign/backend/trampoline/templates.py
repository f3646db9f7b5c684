"""Reading off an object what a stub that makes others like it must copy."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

from ..heaptype import WORD
from ..memobject import MEMORY
from .codegen import Likeness

_OWN = (MEMORY.address, MEMORY.lower, MEMORY.upper)


def likeness(template: Any, data: range | None = None) -> Likeness:
    """Which of the template's words are not 0, apart from its address and bounds, which every object has its own of.

    References among them must be to None. `data` is where the object holds its data, in bytes from its start; where
    that is not given, they are the rest of the object from its address on.
    """
    head, size = object.__basicsize__, type(template).__basicsize__
    data = range(_words_end(template), size) if data is None else data
    words = struct.unpack(f"<{(size - head) // WORD}Q", ctypes.string_at(id(template) + head, size - head))
    own = {head + WORD * i: word for i, word in enumerate(words)}
    for at in (*_OWN, *range(data.start // WORD * WORD, data.stop, WORD)):
        own.pop(at, None)
    taken = {at: word for at, word in own.items() if word}
    others = tuple([at for at in own if at not in taken])
    weak: int = type(template).__weakrefoffset__
    if weak < 0:  # the list of weak references, which may lie in front of the object (3.12)
        others += (weak,)
    return Likeness(tuple(taken), list(taken.values()).count(id(None)), others)


def _words_end(template: Any) -> int:
    """Where the object's own words end: before any data that it holds itself."""
    address: int = template._address - id(template)
    size: int = type(template).__basicsize__
    return address if 0 < address < size else size
