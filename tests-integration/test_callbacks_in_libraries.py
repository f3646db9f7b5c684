"""Real libraries that call Python back, with functions that sometimes raise: SQLite, expat, and the C library.

After an exception the library must be as it would be after an error of its own: usable, and nothing leaked.
"""

from __future__ import annotations

import enum
import gc
import os
import struct
import traceback
import weakref
from pathlib import Path
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c

libc = ffi.Library(None)


def library(name: str) -> ffi.Library:
    """A library of the machine, or a skip that names it."""
    try:
        return ffi.Library(name)
    except ffi.LibraryError:
        pytest.skip(f"no lib{name} on this machine")


# The C library: qsort, bsearch, scandir

Compare = ffi.Callback[[ffi.Pointer[c.int], ffi.Pointer[c.int]], c.int]
qsort = libc.bind("qsort", None, [c.pointer, c.size_t, c.size_t, Compare])
bsearch = libc.bind(
    "bsearch", ffi.Pointer[c.int], [ffi.Pointer[c.int], c.pointer, c.size_t, c.size_t, Compare]
)


def by_value(a: Any, b: Any) -> int:
    return a[0] - b[0]


def test_qsort_sorts_by_a_python_function() -> None:
    items = ffi.array(c.int, [value * 7919 % 1009 for value in range(1000)])
    expected = sorted(items)
    qsort(items, len(items), ffi.sizeof(c.int), by_value)
    assert list(items) == expected
    qsort(items, len(items), ffi.sizeof(c.int), lambda a, b: b[0] - a[0])
    assert list(items) == expected[::-1]


def test_qsort_sorts_structs() -> None:
    pair = ffi.make_struct("pair", {"key": c.int, "value": c.double})
    Pairs = ffi.Callback[[ffi.Pointer[pair], ffi.Pointer[pair]], c.int]
    sort = libc.bind("qsort", None, [c.pointer, c.size_t, c.size_t, Pairs])
    items = ffi.array(pair, [pair(key, -key) for key in (3, 1, 2)])
    sort(items, len(items), ffi.sizeof(pair), lambda a, b: a[0].key - b[0].key)
    assert list(items) == [pair(1, -1), pair(2, -2), pair(3, -3)]


def test_qsort_raises_what_its_comparison_raises_and_loses_no_item() -> None:
    items = ffi.array(c.int, [5, 3, 9, 1])

    def compare(a: Any, b: Any) -> int:
        if 9 in (a[0], b[0]):
            raise ValueError("nine")
        return by_value(a, b)

    with pytest.raises(ValueError, match="nine") as caught:
        qsort(items, len(items), ffi.sizeof(c.int), compare)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "compare"
    assert sorted(items) == [1, 3, 5, 9]


def test_bsearch_finds_and_fails() -> None:
    items = ffi.array(c.int, range(0, 100, 7))
    key = ffi.array(c.int, [49])
    found = bsearch(key, items, len(items), ffi.sizeof(c.int), by_value)
    assert ffi.addressof(found) == ffi.addressof(items) + 7 * ffi.sizeof(c.int)
    key[0] = 50
    assert not bsearch(key, items, len(items), ffi.sizeof(c.int), by_value)
    with pytest.raises(ZeroDivisionError):
        bsearch(key, items, len(items), ffi.sizeof(c.int), lambda a, b: 1 // 0)


#: The beginning of ``struct dirent`` of Linux: inode, offset, record length, type, name.
DIRENT = struct.Struct("=QqHB")


def entry_name(entry: int) -> str:
    return ffi.string_at(entry + DIRENT.size)


@pytest.mark.skipif(
    not hasattr(os, "uname") or os.uname().sysname != "Linux" or struct.calcsize("P") != 8,
    reason="struct dirent is described for 64-bit Linux",
)
def test_scandir_asks_a_filter_and_an_order(tmp_path: Path) -> None:
    for name in ("one.py", "two.txt", "drei.py", "four.py"):
        (tmp_path / name).touch()
    Filter = ffi.Callback[[c.pointer], c.int]
    Order = ffi.Callback[[ffi.Pointer[c.pointer], ffi.Pointer[c.pointer]], c.int]
    scandir = libc.bind("scandir", c.int, [c.string, ffi.Pointer[ffi.Pointer[c.pointer]], Filter, Order])
    free = libc.bind("free", None, [c.pointer])

    def scan(filter: Any, order: Any) -> list[str]:
        found = ffi.array(ffi.Pointer[c.pointer], 1)
        count = scandir(str(tmp_path), found, filter, order)
        assert count >= 0
        entries = [found[0].bounded(count)[i] for i in range(count)] if count else []
        names = [entry_name(entry) for entry in entries]
        for entry in [*entries, ffi.addressof(found[0])]:
            free(entry)
        return names

    def is_python(entry: int) -> bool:
        return entry_name(entry).endswith(".py")

    def by_length(a: Any, b: Any) -> int:
        one, other = entry_name(a[0]), entry_name(b[0])
        return (len(one), one) > (len(other), other) or -1

    assert scan(is_python, by_length) == ["one.py", "drei.py", "four.py"]
    assert sorted(scan(None, None)) == [".", "..", "drei.py", "four.py", "one.py", "two.txt"]

    def fails(entry: int) -> int:
        raise LookupError(entry_name(entry))

    open_files = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(LookupError):
            scan(fails, None)
    assert len(os.listdir("/proc/self/fd")) == open_files  # the directory was closed
    assert scan(is_python, by_length) == ["one.py", "drei.py", "four.py"]


# SQLite


class Code(enum.IntEnum):
    OK = 0
    ERROR = 1
    ROW = 100
    DONE = 101


UTF8 = 1
TRANSIENT = 2**64 - 1
Function = ffi.Callback[[c.pointer, c.int, ffi.Pointer[c.pointer]], None]
Final = ffi.Callback[[c.pointer], None]
Destroy = ffi.Callback[[c.pointer], None]
Row = ffi.Callback[[c.pointer, c.int, ffi.Pointer[c.string], ffi.Pointer[c.string]], c.int]


class Sqlite:
    """A database in memory, as far as these tests need it."""

    def __init__(self) -> None:
        lib = library("sqlite3")
        bind = lib.bind
        self.open_ = bind("sqlite3_open", c.int, [c.string, ffi.Pointer[c.pointer]])
        self.close_ = bind("sqlite3_close", c.int, [c.pointer])
        self.create = bind(
            "sqlite3_create_function_v2",
            c.int,
            [c.pointer, c.string, c.int, c.int, c.pointer, Function, Function, Final, Destroy],
        )
        self.exec_ = bind("sqlite3_exec", c.int, [c.pointer, c.string, Row, c.pointer, c.pointer])
        self.int_of = bind("sqlite3_value_int", c.int, [c.pointer])
        self.text_of = bind("sqlite3_value_text", c.string, [c.pointer])
        self.result_int = bind("sqlite3_result_int", None, [c.pointer, c.int])
        self.result_text = bind("sqlite3_result_text", None, [c.pointer, c.string, c.int, c.pointer])
        self.result_error = bind("sqlite3_result_error", None, [c.pointer, c.string, c.int])
        self.aggregate = bind("sqlite3_aggregate_context", ffi.Pointer[c.int, 1], [c.pointer, c.int])
        self.user_data = bind("sqlite3_user_data", c.pointer, [c.pointer])
        self.message = bind("sqlite3_errmsg", c.string, [c.pointer])
        self.used = bind("sqlite3_memory_used", c.int64)
        handle = ffi.array(c.pointer, 1)
        assert self.open_(":memory:", handle) == Code.OK
        self.handle = handle[0]
        self.kept: list[ffi.ForeignCallback] = []

    def close(self) -> None:
        """SQLITE_BUSY would say that a statement was left behind."""
        assert self.close_(self.handle) == Code.OK

    def keep(self, function: Any, type: Any) -> Any:
        self.kept.append(ffi.callback(function, type))
        return self.kept[-1]

    def define(self, name: str, arguments: int, function: Any, user: Any = None, destroy: Any = None) -> None:
        code = self.create(
            self.handle, name, arguments, UTF8, user, self.keep(function, Function), None, None,
            destroy and self.keep(destroy, Destroy),
        )  # fmt: skip
        assert code == Code.OK

    def query(self, sql: str, on_row: Any = None) -> list[tuple[str | None, ...]]:
        rows: list[tuple[str | None, ...]] = []

        def collect(user: Any, count: int, values: Any, names: Any) -> int:
            rows.append(tuple(values.bounded(count)[i] for i in range(count)))
            return 0

        code = self.exec_(self.handle, sql, on_row or collect, None, None)
        if code != Code.OK:
            raise RuntimeError(self.message(self.handle))
        return rows


@pytest.fixture
def sqlite():
    database = Sqlite()
    yield database
    database.close()


def bounded(values: Any, count: int) -> list[int]:
    return [values.bounded(count)[i] for i in range(count)]


def test_sqlite_calls_a_function_of_python(sqlite: Sqlite) -> None:
    def repeat(context: int, count: int, values: Any) -> None:
        times, text = bounded(values, count)
        sqlite.result_text(context, sqlite.text_of(text) * sqlite.int_of(times), -1, TRANSIENT)

    sqlite.define("repeat", 2, repeat)
    assert sqlite.query("select repeat(3, 'ü'), repeat(0, 'x')") == [("üüü", "")]


def test_an_exception_in_a_function_of_sqlite_arrives_and_the_statement_ends(sqlite: Sqlite) -> None:
    calls = 0

    def check(context: int, count: int, values: Any) -> None:
        nonlocal calls
        calls += 1
        number = sqlite.int_of(bounded(values, count)[0])
        if number == 3:
            raise ValueError(f"not {number}")
        sqlite.result_int(context, number * 10)

    sqlite.define("checked", 1, check)
    sqlite.query("create table t(x); insert into t values (1), (2), (3), (4)")
    with pytest.raises(ValueError, match=r"^not 3$") as caught:
        sqlite.query("select checked(x) from t")
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "check"
    assert calls == 3
    assert sqlite.query("select checked(x) from t where x < 3") == [("10",), ("20",)]
    # A statement that changed something was not left half done, as sqlite sees it: it was told nothing.
    with pytest.raises(ValueError, match="not 3"):
        sqlite.query("begin; update t set x = checked(x)")
    sqlite.query("rollback")
    assert sqlite.query("select sum(x) from t") == [("10",)]


def test_an_error_of_sqlites_own_is_one_of_the_call(sqlite: Sqlite) -> None:
    sqlite.define("refuse", 0, lambda context, count, values: sqlite.result_error(context, "refused", -1))
    with pytest.raises(RuntimeError, match="refused"):
        sqlite.query("select refuse()")


def test_a_row_callback_that_raises_ends_the_query(sqlite: Sqlite) -> None:
    seen: list[str | None] = []

    def on_row(user: Any, count: int, values: Any, names: Any) -> int:
        assert names[0] == "value"
        seen.append(values[0])
        if len(seen) == 2:
            raise LookupError("enough")
        return 0

    with pytest.raises(LookupError, match="enough"):
        sqlite.query("with n(value) as (values (1), (2), (3)) select value from n", on_row)
    assert seen == ["1", "2"]
    assert sqlite.query("select 5") == [("5",)]


def test_an_aggregate_keeps_its_state_in_sqlites_memory(sqlite: Sqlite) -> None:
    def step(context: int, count: int, values: Any) -> None:
        number = sqlite.int_of(bounded(values, count)[0])
        if number < 0:
            raise ArithmeticError(number)
        total = sqlite.aggregate(context, ffi.sizeof(c.int))
        total[0] = total[0] * 2 + number

    def final(context: int) -> None:
        sqlite.result_int(context, sqlite.aggregate(context, ffi.sizeof(c.int))[0])

    code = sqlite.create(
        sqlite.handle, "horner", 1, UTF8, None, None, sqlite.keep(step, Function), sqlite.keep(final, Final), None
    )  # fmt: skip
    assert code == Code.OK
    assert sqlite.query("with n(x) as (values (1), (0), (1)) select horner(x) from n") == [("5",)]
    with pytest.raises(ArithmeticError):
        sqlite.query("with n(x) as (values (1), (-1), (1)) select horner(x) from n")
    assert sqlite.query("with n(x) as (values (1), (1)) select horner(x) from n") == [("3",)]


def test_destructors_run_when_a_function_is_replaced_and_may_raise() -> None:
    database = Sqlite()
    destroyed: list[int] = []

    def destroy(user: int) -> None:
        destroyed.append(user)
        if user == 2:
            raise LookupError("in the destructor")

    def nothing(context: int, count: int, values: Any) -> None:
        database.result_int(context, database.user_data(context))

    database.define("f", 0, nothing, 1, destroy)
    assert database.query("select f()") == [("1",)]
    database.define("f", 0, nothing, 2, destroy)
    assert destroyed == [1]
    with pytest.raises(LookupError, match="in the destructor"):
        database.define("f", 0, nothing, 3, destroy)
    assert database.query("select f()") == [("3",)]
    database.close()
    assert destroyed == [1, 2, 3]


def test_failing_functions_leak_nothing(sqlite: Sqlite) -> None:
    class OwnError(Exception):
        pass

    alive: list[weakref.ref[OwnError]] = []

    def fails(context: int, count: int, values: Any) -> None:
        error = OwnError()
        alive.append(weakref.ref(error))
        raise error

    def fail_often(times: int) -> None:
        for _ in range(times):
            with pytest.raises(OwnError):
                sqlite.query("select fails(1)")

    sqlite.define("fails", 1, fails)
    fail_often(20)
    before = sqlite.used()
    fail_often(200)
    assert sqlite.used() <= before
    gc.collect()
    assert not any(ref() for ref in alive)


# expat

Start = ffi.Callback[[c.pointer, c.string, ffi.Pointer[c.string]], None]
End = ffi.Callback[[c.pointer, c.string], None]
Text = ffi.Callback[[c.pointer, ffi.Pointer[c.char], c.int], None]


class Expat:
    """A parser of expat with handlers, which may stop it."""

    def __init__(self) -> None:
        lib = library("expat")
        bind = lib.bind
        self.create = bind("XML_ParserCreate", c.pointer, [c.string])
        self.free = bind("XML_ParserFree", None, [c.pointer])
        self.set_elements = bind("XML_SetElementHandler", None, [c.pointer, Start, End])
        self.set_text = bind("XML_SetCharacterDataHandler", None, [c.pointer, Text])
        self.set_user = bind("XML_SetUserData", None, [c.pointer, c.pointer])
        self.parse_ = bind("XML_Parse", c.int, [c.pointer, c.bytes, c.int, c.int])
        self.reset = bind("XML_ParserReset", c.bool, [c.pointer, c.string])
        self.line = bind("XML_GetCurrentLineNumber", c.ulong, [c.pointer])
        self.error = bind("XML_GetErrorCode", c.int, [c.pointer])
        self.parser = self.create(None)
        self.events: list[object] = []
        self.kept = (
            ffi.callback(self.start, Start), ffi.callback(self.end, End), ffi.callback(self.text, Text)
        )  # fmt: skip
        self.attach()

    def attach(self) -> None:
        self.set_user(self.parser, 4096)
        self.set_elements(self.parser, *self.kept[:2])
        self.set_text(self.parser, self.kept[2])

    def start(self, user: int, name: str, attributes: Any) -> None:
        assert user == 4096
        if name == "bomb":
            raise ValueError(f"<{name}> in line {self.line(self.parser)}")
        given = []
        while (text := (attributes + len(given)).bounded(1)[0]) is not None:
            given.append(text)
        self.events.append((name, dict(zip(given[::2], given[1::2], strict=True))))

    def end(self, user: int, name: str) -> None:
        self.events.append(f"/{name}")

    def text(self, user: int, data: Any, length: int) -> None:
        self.events.append(ffi.bytes_at(data, length).decode())

    def parse(self, document: str, final: bool = True) -> int:
        data = document.encode()
        status: int = self.parse_(self.parser, data, len(data), final)
        return status


@pytest.fixture
def expat():
    made = Expat()
    yield made
    made.free(made.parser)


def test_expat_reports_elements_attributes_and_text(expat: Expat) -> None:
    assert expat.parse('<a x="1" y="ü"><b/>grüß</a>') == 1
    assert expat.events == [("a", {"x": "1", "y": "ü"}), ("b", {}), "/b", "grüß", "/a"]


def test_an_exception_in_a_handler_of_expat_arrives_and_the_rest_is_silent(expat: Expat) -> None:
    with pytest.raises(ValueError, match=r"^<bomb> in line 2$") as caught:
        expat.parse("<a>\n<bomb/><c/></a>")
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "start"
    assert expat.events == [("a", {}), "\n"]
    assert expat.error(expat.parser) == 0  # expat knows nothing of it, and is done
    assert expat.reset(expat.parser, None) is True
    expat.attach()
    expat.events.clear()
    assert expat.parse("<d/>") == 1
    assert expat.events == [("d", {}), "/d"]


def test_a_document_in_pieces_goes_on_after_an_exception(expat: Expat) -> None:
    assert expat.parse("<a><b>", final=False) == 1
    with pytest.raises(ValueError, match="bomb"):
        expat.parse("<bomb>", final=False)
    assert expat.parse("</bomb></b></a>") == 1
    assert expat.events == [("a", {}), ("b", {}), "/bomb", "/b", "/a"]
