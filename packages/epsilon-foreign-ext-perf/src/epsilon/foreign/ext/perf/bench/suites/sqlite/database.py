"""The table that is read, and a prepared statement over it.

Opening and preparing is the same for every peer and not timed, so it is done once, through ctypes, after the
documentation of https://www.sqlite.org/c3ref/open.html and https://www.sqlite.org/c3ref/prepare.html. Only
the functions called for each row are bound by the peer under test.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from pathlib import Path

from ...building.workshop import Workshop
from ...contestant import UnavailableError

QUERY = "SELECT number, text FROM sample"
#: Enough for the whole table, so that a scan reads no file (in KiB when negative).
SETTINGS = "PRAGMA cache_size = -65536"
_OPEN_READONLY = 1


def content(rows: int) -> Iterator[tuple[int, str]]:
    """The rows: numbers beyond the small ones that CPython keeps ready, and short texts, a few not ASCII."""
    for index in range(rows):
        yield index * 1_000_003, f"row {index:06}" if index % 16 else f"Zeile {index:06} für Größe"


def expected(rows: int) -> tuple[int, int]:
    """The sum of the numbers and of the lengths of the texts."""
    return sum(number for number, _ in content(rows)), sum(len(text) for _, text in content(rows))


def library() -> str:
    """SQLite's file name. Raises UnavailableError when it is not installed."""
    found = ctypes.util.find_library("sqlite3")
    if found is None:
        raise UnavailableError("the SQLite library is not installed")
    return found


def file(workshop: Workshop, rows: int) -> Path:
    """A database file with `rows` rows, made once and cached. Raises UnavailableError."""
    try:
        import sqlite3
    except ImportError as error:
        raise UnavailableError(f"the standard library's sqlite3 cannot be imported: {error}") from None

    def make(folder: Path) -> None:
        connection = sqlite3.connect(folder / "sample.db")
        connection.execute("CREATE TABLE sample (number INTEGER, text TEXT)")
        connection.executemany("INSERT INTO sample VALUES (?, ?)", content(rows))
        connection.commit()
        connection.close()

    return workshop.cache.build("sample", [str(rows), *map(str, content(32))], make).folder / "sample.db"


class Statement:
    """`QUERY`, prepared on a connection of its own. `address` is the ``sqlite3_stmt *``; `close` frees
    both."""

    def __init__(self, path: Path) -> None:
        self._sqlite = ctypes.CDLL(library())
        self._connection = ctypes.c_void_p()
        statement = ctypes.c_void_p()
        self._check(
            self._sqlite.sqlite3_open_v2(
                str(path).encode(), ctypes.byref(self._connection), _OPEN_READONLY, None
            )
        )
        self._check(self._sqlite.sqlite3_exec(self._connection, SETTINGS.encode(), None, None, None))
        self._check(
            self._sqlite.sqlite3_prepare_v2(
                self._connection, QUERY.encode(), -1, ctypes.byref(statement), None
            )
        )
        self._statement = statement
        self.address: int = statement.value or 0

    def _check(self, code: int) -> None:
        if code:
            raise UnavailableError(f"SQLite failed with code {code}")

    def close(self) -> None:
        """Finalize the statement and close its connection; the address must not be used any more."""
        self._sqlite.sqlite3_finalize(self._statement)
        self._sqlite.sqlite3_close(self._connection)

    def __del__(self) -> None:
        self.close()
