"""The names of the functions that a crash's frames are in."""

from __future__ import annotations

from .backtrace import RawFrame
from .crash import Frame


def named(frame: RawFrame) -> Frame:
    """A frame with the function's name, where the file tells it."""
    return Frame(frame.address, "", 0, frame.path)
