"""What callbacks raise, and when: out of the foreign call, to a handler, to the hook; and what C gets meanwhile."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from epsilon.foreign.runtime import TYPES, Callback, ForeignCallback, Library, LifetimeError, Pointer, array

T = TYPES
Int = Callback[[T["int"]], T["int"]]
Binary = Callback[[T["int"], T["int"]], T["int"]]
Compare = Callback[[Pointer[T["int"]], Pointer[T["int"]]], T["int"]]


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What reached `sys.unraisablehook`."""
    caught: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", caught.append)
    yield caught


@pytest.fixture
def sum_times(callbacks: Library):
    """``sum_times(function, n)``: the sum of ``function(0)`` to ``function(n - 1)``."""
    return callbacks.bind("sum_times", T["int"], [Int, T["int"]])


@pytest.fixture
def on_thread(callbacks: Library):
    """Calls a function on a thread of its own, made by C."""
    return callbacks.bind("on_thread", T["int"], [Int, T["int"]])


@pytest.fixture
def qsort(backend: str):
    return Library(None).bind("qsort", None, [T["pointer"], T["size_t"], T["size_t"], Compare])


def test_an_exception_leaves_the_foreign_call_once_with_its_traceback(sum_times) -> None:
    calls = []

    def inner() -> None:
        raise LookupError("deep")

    def function(value: int) -> int:
        calls.append(value)
        if value == 3:
            inner()
        return value

    with pytest.raises(LookupError, match=r"^deep$") as caught:
        sum_times(function, 10)
    assert calls == [0, 1, 2, 3]
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][-2:] == [
        "function",
        "inner",
    ]
    assert sum_times(lambda value: value, 4) == 6


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        KeyboardInterrupt(),
        SystemExit(3),
        StopIteration(5),
        GeneratorExit(),
        ExceptionGroup("", [OSError()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_exception_passes_through_c(sum_times, error: BaseException) -> None:
    def function(value: int) -> int:
        raise error

    with pytest.raises(type(error)) as caught:
        sum_times(function, 3)
    assert caught.value is error


def test_c_gets_the_error_value_of_the_callback_that_raised(callbacks: Library) -> None:
    """And of every other that it calls before it returns."""
    seen: list[int] = []
    up = callbacks.bind(
        "sum_times", T["int"], [Int, T["int"]], check=lambda result, errno, name: seen.append(result)
    )
    failing = ForeignCallback(lambda value: 1 // 0, Int, error=-7)
    with pytest.raises(ZeroDivisionError):
        up(failing, 3)
    assert seen == []  # there is no result to check
    on_thread = callbacks.bind("on_thread", T["int"], [Int, T["int"]])
    assert on_thread(ForeignCallback(lambda value: 1 // 0, Int, error=-7, onerror=seen.append), 1) == -7
    assert [type(error) for error in seen] == [ZeroDivisionError]


def test_nested_calls_unwind_one_level_at_a_time(sum_times) -> None:
    def inner(value: int) -> int:
        raise LookupError("inner")

    def outer(value: int) -> int:
        with pytest.raises(LookupError):
            sum_times(inner, 2)
        return sum_times(lambda value: 5, 1)

    assert sum_times(outer, 2) == 10

    def passing(value: int) -> int:
        return sum_times(inner, 2)

    with pytest.raises(LookupError):
        sum_times(passing, 2)


def test_exceptions_know_what_was_being_handled(sum_times) -> None:
    def function(value: int) -> int:
        try:
            raise KeyError("first")
        except KeyError:
            return sum_times(lambda value: 1 // 0, 1)

    with pytest.raises(ZeroDivisionError) as caught:
        sum_times(function, 1)
    assert isinstance(caught.value.__context__, KeyError)


def test_nothing_keeps_an_exception_alive(sum_times) -> None:
    class OwnError(Exception):
        pass

    alive: list[weakref.ref[Any]] = []

    def function(value: int) -> int:
        error = OwnError()
        alive.append(weakref.ref(error))
        raise error

    for _ in range(20):
        with pytest.raises(OwnError):
            sum_times(function, 2)
    gc.collect()
    assert [ref() for ref in alive] == [None] * 20


def test_a_deep_traceback_arrives_whole(sum_times) -> None:
    def deep(value: int) -> int:
        return deep(value - 1) if value else int("x" * 1000)

    with pytest.raises(ValueError, match="invalid literal") as caught:
        sum_times(lambda value: deep(500), 1)
    assert sum(entry.name == "deep" for entry in caught.traceback) == 501


def test_sorting_is_interrupted_by_control_c(qsort) -> None:
    items = array(T["int"], range(3_000, 0, -1))
    calls = 0

    def compare(a: Any, b: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 50:
            os.kill(os.getpid(), signal.SIGINT)
        return a[0] - b[0]

    with pytest.raises(KeyboardInterrupt):
        qsort(items, len(items), 4, compare)
    assert calls < 60
    assert sorted(items) == list(range(1, 3_001))  # in some order, but all there
    qsort(items, len(items), 4, compare)
    assert list(items) == list(range(1, 3_001))


def test_without_a_python_caller_it_goes_to_the_hook(on_thread, unraisable: list[Any]) -> None:
    def divide(value: int) -> int:
        return 1 // 0

    assert on_thread(divide, 1) == 0
    assert [(entry.exc_type, entry.object) for entry in unraisable] == [(ZeroDivisionError, divide)]
    assert "divide" in unraisable[0].err_msg


def test_a_handler_that_fails_goes_to_the_hook_with_both(on_thread, unraisable: list[Any]) -> None:
    def handler(error: BaseException) -> None:
        raise KeyError("handler")

    assert on_thread(ForeignCallback(lambda value: 1 // 0, Int, error=5, onerror=handler), 1) == 5
    assert [entry.exc_type for entry in unraisable] == [KeyError]
    assert isinstance(unraisable[0].exc_value.__context__, ZeroDivisionError)


def test_a_wrong_result_on_a_foreign_thread_is_an_error_as_well(on_thread) -> None:
    seen: list[BaseException] = []
    assert on_thread(ForeignCallback(lambda value: "text", Int, error=-1, onerror=seen.append), 1) == -1
    assert str(seen[0]) == "the result of callback <lambda>(): expected an integer for int, got str"


def test_a_late_call_gets_the_error_value_and_is_reported(callbacks: Library, unraisable: list[Any]) -> None:
    keep = callbacks.bind("keep", None, [Binary])
    call_kept = callbacks.bind("call_kept", T["int"], [T["int"], T["int"]])

    def subtract(a: int, b: int) -> int:
        return a - b

    with ForeignCallback(subtract, Binary, error=-99) as callback:
        keep(callback)
        assert call_kept(5, 3) == 2
    assert call_kept(5, 3) == -99
    keep(subtract)  # for the length of the call
    gc.collect()
    assert call_kept(5, 3) == 0
    assert [entry.exc_type.__mro__[1] for entry in unraisable] == [LifetimeError] * 2
    assert str(unraisable[0].exc_value) == "C called callback subtract after it was released"


@pytest.mark.parametrize("thread", [False, True], ids=["same thread", "another thread"])
def test_a_callback_released_while_it_runs_ends_in_peace(
    callbacks: Library, unraisable: list[Any], thread: bool
) -> None:
    sum_times = callbacks.bind("sum_times", T["int"], [Int, T["int"]])

    def function(value: int) -> int:
        if value == 2:
            if thread:
                other = threading.Thread(target=callback.release)
                other.start()
                other.join()
            else:
                callback.release()
            gc.collect()
        return 10

    callback = ForeignCallback(function, Int, error=1)
    assert sum_times(callback, 5) == 3 * 10 + 2 * 1
    assert [entry.exc_type.__name__ for entry in unraisable] == ["DeadCallbackError"] * 2


def test_finalizers_may_call_and_be_called(sum_times, unraisable: list[Any]) -> None:
    results: list[int] = []

    class Finalized:
        def __init__(self, function: Any) -> None:
            self.function = function
            self.cycle = self

        def __del__(self) -> None:
            results.append(sum_times(self.function, 3))

    Finalized(lambda value: value)
    gc.collect()
    assert results == [3]

    def collects(value: int) -> int:
        Finalized(lambda value: 1 // 0)
        gc.collect()
        return value

    assert sum_times(collects, 3) == 3
    assert [entry.exc_type for entry in unraisable] == [ZeroDivisionError] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_inside_a_callback_returns_through_c(sum_times) -> None:
    def forks(value: int) -> int:
        child = os.fork()
        if not child:
            raise LookupError("child")
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    try:
        status = sum_times(forks, 1)
    except LookupError:
        fine = sum_times(lambda value: value, 4) == 6
        os._exit(9 if fine else 1)
    assert status == 9


def test_threads_keep_their_exceptions_apart(sum_times) -> None:
    wrong: list[object] = []

    def function(value: int) -> int:
        if value == 5:
            raise LookupError(threading.get_ident())
        return value

    def run() -> None:
        for _ in range(100):
            try:
                wrong.append(sum_times(function, 10))
            except LookupError as error:
                if error.args != (threading.get_ident(),):
                    wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_traced_program_calls_back_as_any_other(sum_times) -> None:
    events: list[str] = []

    def tracer(frame: Any, event: str, argument: object) -> Any:
        if frame.f_code.co_name == "traced":
            events.append(event)
        return tracer

    def traced(value: int) -> int:
        return value

    for watch, before in ((sys.settrace, sys.gettrace()), (sys.setprofile, sys.getprofile())):
        watch(tracer)
        try:
            assert sum_times(traced, 3) == 3
        finally:
            watch(before)
    assert events.count("call") == 6
    assert events.count("return") == 6
