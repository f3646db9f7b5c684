"""SQLite: a database on disk, filled and queried through C, and read again by Python's sqlite3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import epsilon.foreign.api as ffi
from epsilon.foreign.api import c
from report import agree, number, word

TITLE = "a database on disk by SQLite"
LIBRARY = "sqlite3"
ROWS = 10_000
QUERY = "SELECT genre, count(*), sum(length), avg(price) FROM song GROUP BY genre ORDER BY genre"
GENRES = ("Blues", "Chanson", "Fado", "Jazz", "Musique concrète")

# https://sqlite.org/rescode.html, https://sqlite.org/c3ref/c_static.html
SQLITE_OK, SQLITE_ROW, SQLITE_DONE = 0, 100, 101
SQLITE_TRANSIENT = 2 ** (8 * c.pointer.size) - 1

Row = tuple[str, int, int, float]


class SQLiteError(Exception):
    """SQLite returned a code that means failure."""


def rows() -> Iterator[tuple[int, str, str, int, float]]:
    """The songs: number, title, genre, length in seconds, price."""
    for i in range(ROWS):
        yield i, f"Song №{i}", GENRES[i % len(GENRES)], 120 + i * 7 % 240, 0.5 + i % 8 * 0.25


class Database:
    """The functions of SQLite that the demo calls (https://sqlite.org/c3ref/funclist.html)."""

    def __init__(self, library: ffi.Library) -> None:
        def checked(code: int, errno: int, function: str) -> int:
            if code not in (SQLITE_OK, SQLITE_ROW, SQLITE_DONE):
                raise SQLiteError(f"{function}() returned {code}: {self.errmsg(self.handle)}")
            return code

        self.handle = 0
        self.version = library.bind("sqlite3_libversion", c.string)
        self.open = library.bind("sqlite3_open", c.int, [c.string, c.mutable_buffer], check=checked)
        self.close = library.bind("sqlite3_close", c.int, [c.pointer], check=checked)
        self.errmsg = library.bind("sqlite3_errmsg", c.string, [c.pointer])
        self.exec = library.bind(
            "sqlite3_exec", c.int, [c.pointer, c.string, c.pointer, c.pointer, c.pointer], check=checked
        )
        self.prepare = library.bind(
            "sqlite3_prepare_v2",
            c.int,
            [c.pointer, c.string, c.int, c.mutable_buffer, c.pointer],
            check=checked,
        )
        statement = [c.pointer, c.int]
        self.bind_int = library.bind("sqlite3_bind_int64", c.int, [*statement, c.int64], check=checked)
        self.bind_double = library.bind("sqlite3_bind_double", c.int, [*statement, c.double], check=checked)
        self.bind_text = library.bind(
            "sqlite3_bind_text", c.int, [*statement, c.string, c.int, c.pointer], check=checked
        )
        self.step = library.bind("sqlite3_step", c.int, [c.pointer], check=checked)
        self.reset = library.bind("sqlite3_reset", c.int, [c.pointer], check=checked)
        self.finalize = library.bind("sqlite3_finalize", c.int, [c.pointer], check=checked)
        self.column_int = library.bind("sqlite3_column_int64", c.int64, statement)
        self.column_double = library.bind("sqlite3_column_double", c.double, statement)
        self.column_text = library.bind("sqlite3_column_text", c.string, statement)

    def run(self, sql: str) -> None:
        """Carry out SQL that gives no rows."""
        self.exec(self.handle, sql, None, None, None)

    def statement(self, sql: str) -> int:
        """A prepared statement, to be finalized."""
        out = word(size=c.pointer.size)
        self.prepare(self.handle, sql, -1, out, None)
        return number(out)


def run(library: ffi.Library) -> Iterator[str]:
    """Create a database, insert `ROWS` rows, query them, and compare with what the sqlite3 module reads."""
    db = Database(library)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "songs.sqlite")
        out = word(size=c.pointer.size)
        db.open(str(path), out)
        db.handle = number(out)
        try:
            _fill(db)
            found = _query(db)
            refused = _refusal(db)
        finally:
            db.close(db.handle)
        yield f"SQLite {db.version()}: {ROWS:,} rows inserted, {path.stat().st_size:,} bytes on disk"
        yield "; ".join(f"{genre} {count:,} songs of {total // count} s" for genre, count, total, _ in found)
        agree("the error of bad SQL", refused, "sqlite3_exec() returned 1: no such table: album")
        yield _compared(path, found)


def _fill(db: Database) -> None:
    db.run("CREATE TABLE song (id INTEGER PRIMARY KEY, title TEXT, genre TEXT, length INTEGER, price REAL)")
    db.run("BEGIN")
    insert = db.statement("INSERT INTO song VALUES (?, ?, ?, ?, ?)")
    for id, title, genre, length, price in rows():
        db.bind_int(insert, 1, id)
        db.bind_text(insert, 2, title, -1, SQLITE_TRANSIENT)
        db.bind_text(insert, 3, genre, -1, SQLITE_TRANSIENT)
        db.bind_int(insert, 4, length)
        db.bind_double(insert, 5, price)
        agree("sqlite3_step", db.step(insert), SQLITE_DONE)
        db.reset(insert)
    db.finalize(insert)
    db.run("COMMIT")


def _query(db: Database) -> list[Row]:
    select = db.statement(QUERY)
    found = []
    while db.step(select) == SQLITE_ROW:
        count, total = db.column_int(select, 1), db.column_int(select, 2)
        found.append((db.column_text(select, 0), count, total, db.column_double(select, 3)))
    db.finalize(select)
    return found


def _refusal(db: Database) -> str:
    try:
        db.run("SELECT * FROM album")
    except SQLiteError as error:
        return str(error)
    return "no error"


def _compared(path: Path, found: list[Row]) -> str:
    try:
        import sqlite3
    except ImportError:
        return "this Python was built without its sqlite3 module: nothing to compare with"
    connection = sqlite3.connect(path)
    try:
        agree("the query", found, connection.execute(QUERY).fetchall())
        agree("the rows", connection.execute("SELECT * FROM song ORDER BY id").fetchall(), list(rows()))
    finally:
        connection.close()
    return "Python's own sqlite3 reads the same rows from the file and gives the same answer to the query"
