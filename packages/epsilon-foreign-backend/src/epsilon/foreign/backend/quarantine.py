"""Released callbacks: their code stays callable for a while, to catch C that still holds the pointer.

What is released joins the end of a queue and is reused or freed when it reaches the front, not before `DEPTH`
others have been released after it.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

#: How many releases a released callback outlives.
DEPTH = 10_000
#: Kept beyond that: threads that release at once may each let go of one thing more than is due.
SLACK = 64


class Quarantine(Generic[T]):
    """A queue of released things. Appending and popping are atomic."""

    __slots__ = ("_queue", "_room")

    def __init__(self) -> None:
        self._queue: deque[T] = deque()
        self._room = DEPTH + SLACK  # at shutdown the module's globals may be gone before the last callback

    def add(self, item: T) -> T | None:
        """Put a released thing in; what has been in longest comes out, if its time is over."""
        self._queue.append(item)
        if len(self._queue) <= self._room:
            return None
        try:
            return self._queue.popleft()
        except IndexError:  # another thread was faster
            return None

    def __len__(self) -> int:
        return len(self._queue)
