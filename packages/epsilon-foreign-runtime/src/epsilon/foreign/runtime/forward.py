"""``Pointer["node"]``: a pointer to a type that is named before it exists; the name is looked up on first
use."""

from __future__ import annotations

import sys
from collections import ChainMap
from types import FrameType
from typing import Any

from .errors import DeclarationError
from .types import ForeignType, resolve_type


class Forward:
    """A name, and the scopes it was written in: the class body, what surrounds it, and the module."""

    __slots__ = ("_frame", "name")

    def __init__(self, name: str, frame: FrameType) -> None:
        self.name = name
        self._frame: FrameType | None = frame

    @classmethod
    def here(cls, name: str, promised: int, depth: int) -> Any:
        """The class of pointers to what `name` will mean, `depth` frames above the caller."""
        from .pointers import new_pointer_class

        return new_pointer_class(cls(name, sys._getframe(depth + 1)), name, False, promised)

    def resolve(self) -> ForeignType:
        """The row. Raises DeclarationError while the name is not defined, or names no type."""
        frame = self._frame
        assert frame is not None, "a class of pointers resolves its target once"
        outer = frame.f_back.f_locals if frame.f_back is not None else {}
        try:
            found = eval(self.name, frame.f_globals, ChainMap(frame.f_locals, outer))
        except Exception as error:
            raise DeclarationError(f'Pointer["{self.name}"]: the name cannot be resolved: {error}') from None
        row = resolve_type(found)
        self._frame = None
        return row
