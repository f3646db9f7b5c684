"""Structs and unions whose members are looked at when they are first needed.

The declarations of a large header refer to each other in circles, and a program uses few of them. A deferred row
can be pointed to at once; its size, its class and its members come with the first question about them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from epsilon.foreign.backend import AbiType, Kind

from .members import StructType

#: One lock for all: layouts ask for each other's across libraries, and two locks could wait for each other.
_LOCK = threading.RLock()


class DeferredStruct(StructType):
    """The row of a struct or union that `make` completes: it is called with the row, which it must make a class
    of (`aggregates.declare`, `make_aggregate`).

    While it runs the row is incomplete, as a struct is in C inside its own braces. What it raises reaches whoever
    asked, and the next question calls it again. Any thread may ask.
    """

    __slots__ = ("_make", "making")

    #: The slots that are empty until `make` fills them; reading an empty one arrives at `__getattr__`.
    _LATE = ("abi", "complete", "cls")

    def __init__(self, name: str, make: Callable[[DeferredStruct], Any], *, union: bool = False) -> None:
        super().__init__(name, union=union)
        self._make = make
        self.making = False
        self._empty()

    def _empty(self) -> None:
        for slot in self._LATE:
            if self._has(slot):
                delattr(self, slot)

    def __getattr__(self, name: str) -> Any:
        if name not in self._LATE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        with _LOCK:
            if self.making:
                return {"abi": AbiType(Kind.AGGREGATE, 0, 1, self.name), "complete": False, "cls": None}[name]
            self.making = True
            try:
                if not self._has("cls"):
                    self._make(self)
                    self._settle()
            except BaseException:
                self._empty()
                raise
            finally:
                self.making = False
        return object.__getattribute__(self, name)

    def _settle(self) -> None:
        """An opaque type has no layout for ever."""
        if not self._has("abi"):
            self.abi, self.complete = AbiType(Kind.AGGREGATE, 0, 1, self.name), False

    def _has(self, slot: str) -> bool:
        try:
            object.__getattribute__(self, slot)
        except AttributeError:
            return False
        return True
