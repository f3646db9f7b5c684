"""The GIL policy of a binding, the C-API called through it, and many threads at once."""

from __future__ import annotations

import ctypes
import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Library, Native
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    INT32,
    INT64,
    POINTER,
    UINT64,
    Backend,
    Binding,
    Marshal,
    Parameter,
    Signature,
)

NAP = 0.2


def has_gil() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def steps_during(function: Callable[..., Any], *args: Any) -> list[float]:
    """The times at which another thread of Python made a step, from before `function` ran until after."""
    steps: list[float] = []
    running = threading.Event()
    stop = False

    def count() -> None:
        while not stop:
            steps.append(time.perf_counter())
            running.set()
            time.sleep(0.001)
        steps.append(time.perf_counter())

    thread = threading.Thread(target=count)
    thread.start()
    running.wait()
    function(*args)
    stop = True
    thread.join()
    return steps


@pytest.mark.parametrize("capture_errno", [True, False], ids=["errno", "no errno"])
def test_other_threads_run_while_c_sleeps(native: Native, capture_errno: bool) -> None:
    doze = native("doze", INT32, [INT32], capture_errno=capture_errno)
    assert len(steps_during(doze, int(NAP * 1000))) > 10


@pytest.mark.parametrize("capture_errno", [True, False], ids=["errno", "no errno"])
def test_no_other_thread_runs_while_c_holds_the_gil(native: Native, capture_errno: bool) -> None:
    if not has_gil():
        pytest.skip("this interpreter has no GIL to hold")
    doze = native("doze", INT32, [INT32], release_gil=False, capture_errno=capture_errno)
    steps = steps_during(doze, int(NAP * 1000))
    # Before and after the call the other thread may step as it likes; during it there is one long silence.
    assert max(later - earlier for earlier, later in itertools.pairwise(steps)) > 0.9 * NAP


def api(backend: Backend, name: str, signature: Signature, **more: Any) -> Callable[..., Any]:
    """A function of the C-API, which needs the GIL."""
    address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    assert address
    return backend.bind(address, Binding(signature, name, release_gil=False, **more))


def test_the_c_api_can_be_called_with_the_gil_held(backend: Backend) -> None:
    make = api(backend, "PyLong_FromLong", Signature(POINTER, [INT64]))
    value = api(backend, "PyLong_AsLong", Signature(INT64, [POINTER]))
    drop = api(backend, "Py_DecRef", Signature(parameters=[POINTER]))
    for number in (0, -5, 10**9, -(2**62)):
        address = make(number)
        assert ctypes.cast(address, ctypes.py_object).value == number
        assert value(address) == number
        drop(address)


def test_an_exception_that_the_c_api_sets_is_not_lost(backend: Backend) -> None:
    value = api(backend, "PyLong_AsLong", Signature(INT64, [POINTER]))
    text = "no number"
    with pytest.raises((TypeError, SystemError)):
        value(id(text))
    assert value(id(7)) == 7


def hammer(work: Callable[[int], None], threads: int = 6) -> None:
    """Run `work` in threads that start together; raises what any of them raised."""
    barrier = threading.Barrier(threads)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    running = [threading.Thread(target=run, args=(n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])
def test_one_function_serves_many_threads(native: Native, release_gil: bool) -> None:
    add = native("add", INT64, [INT64, INT64], release_gil=release_gil)
    text = Parameter("", Marshal.STRING)
    length = native("two_lengths", INT64, [POINTER, POINTER], text, text, release_gil=release_gil)

    def work(number: int) -> None:
        for i in range(3000):
            assert add(number << 40, i) == (number << 40) + i
            assert length("x" * number, "\xe9" * (i % 50)) == 1000 * number + 2 * (i % 50)
            with pytest.raises(TypeError):
                add("x")

    hammer(work)


def test_functions_are_bound_and_dropped_by_many_threads(backend: Backend, library: Library) -> None:
    address = library.address("nothing")
    types = (INT64, DOUBLE, INT32, BOOL, POINTER, UINT64)

    def work(number: int) -> None:
        for i in range(100):
            # Old signatures and new ones: six digits to the base of six.
            parameters = [types[(i * (number + 1)) // 6**k % 6] for k in range(3)]
            function = backend.bind(address, Signature(INT32, parameters))
            function(*(True if t == BOOL else 1.5 if t == DOUBLE else 1 for t in parameters))
            assert function.__name__ == "function"

    hammer(work)


def test_a_function_is_redirected_while_others_call_it(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    address = native.address("add")
    stop = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for _ in range(500):
                native.backend.redirect(add, None)
                native.backend.redirect(add, address)
            stop.set()
            return
        while not stop.is_set():
            try:
                assert add(number, 1) == number + 1
            except RuntimeError as error:
                assert "closed" in str(error)

    hammer(work, 4)


def test_call_is_safe_in_many_threads(native: Native) -> None:
    address, signature = native.address("add"), Signature(INT64, [INT64, INT64])

    def work(number: int) -> None:
        for i in range(1000):
            assert native.backend.call(address, signature, (number, i)) == number + i

    hammer(work)
