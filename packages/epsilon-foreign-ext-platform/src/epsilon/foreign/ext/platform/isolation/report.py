"""What the keeper tells the parent of a child's end: plain values, as `marshal` writes them."""

from __future__ import annotations

import marshal
from typing import NamedTuple

from .backtrace import RawFrame

#: Why a child has ended.
SIGNAL, EXIT, TIMEOUT, MEMORY, STOPPED, LOST = "signal", "exit", "timeout", "memory", "stopped", "lost"


class Report(NamedTuple):
    """The end of a child. `code` is the `si_code` of its signal; what is not known is 0."""

    reason: str
    signal: int = 0
    code: int = 0
    address: int = -1
    sender: int = 0
    syscall: int = -1
    exit_code: int = -1
    frames: tuple[RawFrame, ...] = ()

    def encode(self) -> bytes:
        """The report as bytes."""
        return marshal.dumps((*self[:-1], tuple(tuple(frame) for frame in self.frames)))

    @classmethod
    def decode(cls, content: bytes) -> Report:
        """The report that was encoded so."""
        *plain, frames = marshal.loads(content)
        return cls(*plain)._replace(frames=tuple(RawFrame(*frame) for frame in frames))
