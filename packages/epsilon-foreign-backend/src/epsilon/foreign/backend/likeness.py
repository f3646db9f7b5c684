"""Data objects that a backend may make by itself, in the likeness of one that it is shown.

Making an object through its class's constructor costs more than the call that it is for. A template says what all
objects of one class have in common: an instance of a subclass of `Memory` whose slots are unset or None, and which has
no ``__dict__``. With `reuse`, an object of an earlier call may be used again once nobody else refers to it, for which a
function keeps its last results: so those may outlive the last reference to them, and must keep nothing else alive.
"""

from __future__ import annotations

from typing import NamedTuple

from .abi import Kind
from .memobject import Memory


class Pointee(NamedTuple):
    """A pointer from C as an object that holds its address.

    Its bounds are those of `size` bytes at that address; there are none for NULL, and none when `size` is 0.
    """

    template: Memory
    size: int
    reuse: bool = False

    @property
    def kind(self) -> Kind:
        """What it can be made of."""
        return Kind.POINTER


class Contents(NamedTuple):
    """An aggregate from C as an object that holds the bytes itself, `storage` bytes from where the object begins.

    Its address and bounds are those of the bytes.
    """

    template: Memory
    storage: int
    reuse: bool = False

    @property
    def kind(self) -> Kind:
        """What it can be made of."""
        return Kind.AGGREGATE
