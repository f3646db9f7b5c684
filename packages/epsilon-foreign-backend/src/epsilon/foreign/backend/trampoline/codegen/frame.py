"""The stub's stack frame: outgoing arguments at the bottom, where the ABI wants them, and locals above."""

from __future__ import annotations


class Frame:
    """Hands out space; offsets are in bytes from the stack pointer after the prologue."""

    __slots__ = ("size",)

    def __init__(self, outgoing: int) -> None:
        self.size = outgoing

    def reserve(self, size: int = 8, alignment: int = 8) -> int:
        """The offset of `size` fresh bytes."""
        offset = -(-self.size // alignment) * alignment
        self.size = offset + size
        return offset
