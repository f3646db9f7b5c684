"""Making, measuring and reading C data, with the types that type checkers see; the runtime does the work."""

from __future__ import annotations

from epsilon.foreign.runtime import (
    Arena,
    alloc,
    array,
    c_string,
    free,
    from_buffer,
    memory,
    new,
    null,
    pointer,
)

__all__ = ["Arena", "alloc", "array", "c_string", "free", "from_buffer", "memory", "new", "null", "pointer"]
