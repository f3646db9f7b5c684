"""Pointers and arrays as type checkers see them; at run time they are the runtime's own classes.

For them a length is a ``Literal``: ``Array[c.int16, Literal[3]]`` (``Array[c.int16, 3]`` means the same to
Python).
"""

from __future__ import annotations

from epsilon.foreign.runtime import Array, Pointer

__all__ = ["Array", "Pointer"]
