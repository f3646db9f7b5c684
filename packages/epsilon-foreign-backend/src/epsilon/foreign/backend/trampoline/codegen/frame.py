"""The stub's stack frame: outgoing arguments at the bottom, where the ABI wants them, and locals above."""

from __future__ import annotations

from ..assembler import IntRegister
from ..conventions import STACK_ALIGNMENT
from ..machine import Machine
from .blocks import write_touch_pages


class Frame:
    """Hands out space; offsets are in bytes from the stack pointer, which is a multiple of `alignment`."""

    __slots__ = ("alignment", "size")

    def __init__(self, outgoing: int, alignment: int = STACK_ALIGNMENT) -> None:
        self.size = outgoing
        self.alignment = alignment

    def reserve(self, size: int = 8, alignment: int = 8) -> int:
        """The offset of `size` fresh bytes."""
        offset = -(-self.size // alignment) * alignment
        self.size = offset + size
        self.alignment = max(self.alignment, alignment)
        return offset

    def write_prologue(self, m: Machine, saved: tuple[IntRegister, ...]) -> None:
        """Enter the frame, once all of it has been handed out."""
        m.prologue(self.size, saved)
        if self.alignment > STACK_ALIGNMENT:
            m.align_stack(self.alignment)
        write_touch_pages(m, self.size)
