"""Where results go: a file that appears whole, or standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from ..file.encode import write_whole


def put(text: str, path: str | None) -> None:
    """Write text to a file, or to standard output for None and ``-``. Raises OSError."""
    if path is None or path == "-":
        sys.stdout.write(text)
    else:
        write_whole(path, text)


def put_json(value: Any) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=True)
    print()


def table(rows: Sequence[tuple[str, ...]], right: tuple[int, ...] = ()) -> list[str]:
    """Rows in columns; those numbered in `right` end at the same place instead of beginning there."""
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(len(rows[0]) if rows else 0)]
    return [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
