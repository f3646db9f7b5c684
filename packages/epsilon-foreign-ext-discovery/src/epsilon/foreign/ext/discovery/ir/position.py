"""Where something stands in a header."""

from __future__ import annotations

from ..values import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file, as one includes it (``sys/socket.h``), so that it means the same on every machine.

    Lines and columns count from 1, columns in bytes.
    """

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
