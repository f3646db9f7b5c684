"""C in the child calls Python functions of the parent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from platform_support.isolating import linux

pytestmark = [pytest.mark.once, linux]

Binary = ffi.Callback[[c.int, c.int], c.int]


@ffi.struct
class point:
    x: c.int
    y: c.int


@ffi.struct
class table:
    first: Binary
    second: Binary


@pytest.fixture(scope="module")
def backend() -> Iterator[Any]:
    with platform.isolated(timeout=5) as made:
        yield made


@pytest.fixture
def lib(backend: Any, isolated_library: str) -> Iterator[ffi.Library]:
    with ffi.use_backend(backend):
        yield ffi.Library(isolated_library)


def test_a_function_is_called_back(lib: ffi.Library) -> None:
    apply = lib.bind("apply", c.int, [Binary, c.int, c.int])
    assert apply(lambda a, b: a - b, 10, 3) == 7
    assert [apply(lambda a, b, i=i: a + b + i, 1, 2) for i in range(300)] == [3 + i for i in range(300)]


def test_calls_and_callbacks_nest(lib: ffi.Library) -> None:
    apply = lib.bind("apply", c.int, [Binary, c.int, c.int])

    def down(depth: int, total: int) -> int:
        return total if depth == 0 else apply(down, depth - 1, total + depth)

    assert apply(down, 20, 0) == sum(range(21))


def test_an_exception_passes_through_c(lib: ffi.Library) -> None:
    calls = 0

    def fail(a: int, b: int) -> int:
        nonlocal calls
        calls += 1
        raise KeyError("from Python")

    with pytest.raises(KeyError, match="from Python"):
        lib.bind("apply_twice", c.int, [Binary, c.int, c.int])(fail, 1, 2)
    assert calls == 1, "no further callback runs once one has failed"
    assert lib.bind("add", c.long, [c.long, c.long])(1, 2) == 3


def test_a_result_that_does_not_fit_is_an_error_of_the_call(lib: ffi.Library) -> None:
    apply = lib.bind("apply", c.int, [Binary, c.int, c.int])
    with pytest.raises(ffi.ArgumentRangeError):
        apply(lambda a, b: 2**40, 1, 2)
    with pytest.raises(ffi.ArgumentTypeError):
        apply(lambda a, b: "text", 1, 2)


def test_an_exception_in_a_nested_call_unwinds_level_by_level(lib: ffi.Library) -> None:
    apply = lib.bind("apply", c.int, [Binary, c.int, c.int])
    seen = []

    def inner(a: int, b: int) -> int:
        raise ZeroDivisionError

    def outer(a: int, b: int) -> int:
        try:
            return apply(inner, a, b)
        except ZeroDivisionError:
            seen.append(a)
            return -1

    assert apply(outer, 1, 2) == -1
    assert seen == [1]


def test_structs_texts_and_pointers_reach_callbacks(lib: ffi.Library) -> None:
    flip = lib.bind("map_point", point, [ffi.Callback[[point], point], point])
    assert flip(lambda p: point(p.y, p.x), point(1, 2)) == point(2, 1)
    with_text = lib.bind("with_text", c.int, [ffi.Callback[[c.string], c.size_t]])
    assert with_text(len) == len("on the stack")


def test_a_pointer_to_the_childs_stack_is_readable_and_writable_in_the_callback(lib: ffi.Library) -> None:
    def change(p: Any) -> None:
        assert (p[0].x, p[0].y) == (1, 2)
        p[0].x = 7

    assert lib.bind("with_local", c.int, [ffi.Callback[[ffi.Pointer[point]], None]])(change) == 72


def test_a_text_result_lives_until_the_next_call(lib: ffi.Library) -> None:
    measured = lib.bind("measured", c.size_t, [ffi.Callback[[], c.string]])
    assert measured(lambda: "twelve bytes") == 12
    assert measured(lambda: "x" * 100_000) == 100_000


def test_a_kept_callback_stays_valid(lib: ffi.Library, backend: Any) -> None:
    keep, call = lib.bind("keep", None, [Binary]), lib.bind("call_kept", c.int, [c.int, c.int])
    with ffi.callback(lambda a, b: a * b, Binary) as times:
        keep(times)
        assert call(6, 7) == 42
        address = times.address
        backend.restart()
        keep(times)
        assert times.address == address, "the same in the next child"
        assert call(6, 7) == 42


def test_callbacks_in_a_table_survive_the_child(lib: ffi.Library, backend: Any) -> None:
    call_table = lib.bind("call_table", c.int, [ffi.Pointer[table], c.int, c.int])
    with (
        ffi.Arena() as arena,
        ffi.callback(lambda a, b: a + b, Binary) as plus,
        ffi.callback(lambda a, b: a * b, Binary) as times,
    ):
        both = arena.new(table, plus, times)
        assert call_table(both, 3, 4) == 7012
        backend.restart()
        assert call_table(both, 3, 4) == 7012


def test_a_released_callback_is_reported_when_c_calls_it(lib: ffi.Library, monkeypatch: Any) -> None:
    reported: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", reported.append)
    callback = ffi.callback(lambda a, b: 1, Binary)
    lib.bind("keep", None, [Binary])(callback)
    callback.release()
    assert lib.bind("call_kept", c.int, [c.int, c.int])(1, 2) == 0
    assert "released" in str(reported[0].exc_value)


def test_functions_of_c_come_back_as_callables_and_go_in_again(lib: ffi.Library) -> None:
    plus = lib.bind("get_plus", Binary, [])()
    assert plus(3, 4) == 7
    assert lib.bind("apply", c.int, [Binary, c.int, c.int])(plus, 1, 2) == 3


def test_a_thread_of_c_calls_back_during_a_call(lib: ffi.Library) -> None:
    assert lib.bind("on_thread", c.int, [Binary])(lambda a, b: a * b) == 12


def test_a_callback_of_this_process_is_refused(isolated_library: str) -> None:
    here = ffi.callback(lambda a, b: 1, Binary)
    with platform.isolated() as backend, ffi.use_backend(backend):
        apply = ffi.Library(isolated_library).bind("apply", c.int, [Binary, c.int, c.int])
        with pytest.raises(ffi.ArgumentTypeError, match="while the isolated backend is in use"):
            apply(here, 1, 2)


def test_time_in_callbacks_does_not_count_against_the_timeout(isolated_library: str) -> None:
    with platform.isolated(timeout=0.3) as backend, ffi.use_backend(backend):
        apply = ffi.Library(isolated_library).bind("apply", c.int, [Binary, c.int, c.int])
        assert apply(lambda a, b: time.sleep(0.6) or 5, 1, 2) == 5


def test_a_crash_in_a_nested_call_ends_every_call_of_that_child(lib: ffi.Library, crashes: str) -> None:
    apply = lib.bind("apply", c.int, [Binary, c.int, c.int])
    null_write = ffi.Library(crashes).bind("null_write", None, [])
    caught = []

    def reckless(a: int, b: int) -> int:
        try:
            null_write()
        except platform.ForeignCrash as crash:
            caught.append(crash)
        return 1

    with pytest.raises(platform.ForeignCrash, match=r"apply\(\)"):
        apply(reckless, 1, 2)
    assert caught[0].function == "null_write"
    assert apply(lambda a, b: a + b, 1, 2) == 3


def test_callbacks_work_from_several_threads(lib: ffi.Library, backend: Any) -> None:
    apply = lib.bind("apply", c.int, [Binary, c.int, c.int])
    wrong = []

    def run(number: int) -> None:
        with ffi.use_backend(backend):
            for i in range(100):
                if apply(lambda a, b: a * 1000 + b, number, i) != number * 1000 + i:
                    wrong.append((number, i))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_result_that_does_not_fit_is_refused_by_the_callbacks_name(lib: ffi.Library) -> None:
    def answers_text(a: int, b: int) -> Any:
        return "less"

    apply = lib.bind("apply", c.int, [ffi.Callback[[c.int, c.int], c.int], c.int, c.int])
    with pytest.raises(
        ffi.ArgumentTypeError, match=r"^the result of callback answers_text\(\): expected an int"
    ):
        apply(answers_text, 1, 2)
