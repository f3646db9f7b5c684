"""Exceptions in callbacks arrive: at the end of the stack, from signal handlers, and never in another thread."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import INT64, POINTER, CallbackHandle, Signature, Upcall, pending

NUMBER = Signature(INT64, [INT64])
TIMES = (INT64, [POINTER, INT64])


@pytest.fixture(autouse=True)
def nothing_pending() -> Iterator[None]:
    """No test leaves an exception for a later call to raise."""
    yield
    left = pending.take()
    assert left is None
    assert not pending.kept
    assert pending.count[0] == 0


def made(native: Native, function: Callable[..., Any], **more: Any) -> CallbackHandle:
    """A callback of the signature that these tests share."""
    native.needs("callbacks")
    return native.backend.callback(function, Upcall(NUMBER, **more))


def only_trampoline(native: Native, reason: str) -> None:
    """Skip where an interpreter's own code runs before this library's can catch anything."""
    if native.backend.name != "trampoline":
        pytest.skip(f"the {native.backend.name} backend: {reason}")


def test_the_traceback_leads_from_the_caller_into_the_callback(native: Native) -> None:
    def inner() -> None:
        raise ValueError("deep")

    def function(value: int) -> int:
        inner()
        return value

    handle = made(native, function)
    with pytest.raises(ValueError, match="deep") as caught:
        native("upcall_int64", *TIMES)(handle.address, 1)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[0] == test_the_traceback_leads_from_the_caller_into_the_callback.__name__
    assert names[-2:] == ["function", "inner"]


def test_nested_calls_unwind_one_level_at_a_time(native: Native) -> None:
    call = native("call_times", *TIMES)
    seen: list[str] = []

    def inner(value: int) -> int:
        raise LookupError("inner")

    inside = made(native, inner)

    def outer(value: int) -> int:
        try:
            call(inside.address, 3)
        except LookupError as error:
            seen.append(str(error))
            raise RuntimeError("outer") from error
        return value

    outside = made(native, outer)
    with pytest.raises(RuntimeError, match="outer") as caught:
        call(outside.address, 3)
    assert seen == ["inner"]
    assert isinstance(caught.value.__cause__, LookupError)


def test_an_exception_that_a_callback_handles_is_gone(native: Native) -> None:
    call = native("upcall_int64", *TIMES)
    inside = made(native, lambda value: 1 // 0)

    def outer(value: int) -> int:
        with pytest.raises(ZeroDivisionError):
            call(inside.address, value)
        return value

    outside = made(native, outer)
    assert call(outside.address, 5) == 5


@pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])
def test_recursion_through_c_ends_with_recursion_error(native: Native, release_gil: bool) -> None:
    """Whichever step is the first that the stack has no room for."""
    only_trampoline(native, "the interpreter prints that its callback could not be entered")
    call = native("upcall_int64", *TIMES, release_gil=release_gil)
    depth = 0

    def deeper(value: int) -> int:
        nonlocal depth
        depth = value
        return call(handle.address, value + 1)

    def start(frames: int) -> int:
        return start(frames - 1) if frames else call(handle.address, 0)

    handle = made(native, deeper)
    for frames in range(8):
        with pytest.raises(RecursionError):
            start(frames)
        assert not pending.kept
    assert depth > 100


def test_deep_recursion_returns_every_value(native: Native) -> None:
    call = native("upcall_int64", *TIMES)

    def sum_below(value: int) -> int:
        return value + call(handle.address, value - 1) if value else 0

    handle = made(native, sum_below)
    depth = 40
    assert call(handle.address, depth) == depth * (depth + 1) // 2


class Alarm(Exception):
    """Raised by the handler of a signal."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")
def test_an_exception_of_a_signal_handler_is_never_lost(native: Native) -> None:
    """A signal comes wherever it likes: between callbacks, while one begins, while its exception is put away."""
    rounds = 0

    def ring(number: int, frame: object) -> None:
        nonlocal rounds
        rounds += 1
        raise Alarm

    call = native("call_times", *TIMES)
    handle = made(native, lambda value: 1)
    before = signal.signal(signal.SIGALRM, ring)
    caught = 0
    try:
        deadline = time.monotonic() + 30
        while caught < 50 and time.monotonic() < deadline:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0005 + caught % 7 * 0.0001)
                while True:
                    call(handle.address, 2_000)
            except Alarm:
                caught += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert caught == rounds == 50


def test_an_interrupt_while_c_calls_back_ends_the_foreign_call(native: Native) -> None:
    """What Ctrl-C does: a real SIGINT, which is handled as the next Python function is entered, or later."""
    call = native("call_times", *TIMES)
    done = 0

    def function(value: int) -> int:
        nonlocal done
        done += 1
        if done % 100 == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return 1

    handle = made(native, function)
    for round in range(1, 21):
        with pytest.raises(KeyboardInterrupt):
            call(handle.address, 5_000)
        assert done < round * 100 + 10  # at once, not at the end


@pytest.mark.parametrize("way", ["trace", "profile"])
def test_what_a_tracer_raises_as_a_callback_is_entered_arrives(native: Native, way: str) -> None:
    """Be it the user's function or the library's own around it, on backends that have such."""
    if sys.version_info < (3, 12):
        only_trampoline(native, "3.11 calls tracers before a function's first instruction")
    call = native("upcall_int64", *TIMES)
    handle = made(native, lambda value: value)

    def tracer(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            raise LookupError(frame.f_code.co_name)

    watch, before = (sys.settrace, sys.gettrace()) if way == "trace" else (sys.setprofile, sys.getprofile())
    call(handle.address, 1)
    caught = ""
    watch(tracer)
    try:
        call(handle.address, 1)
    except LookupError as error:
        caught = str(error)
    finally:
        watch(before)
    assert caught in ("<lambda>", "__call__")
    assert call(handle.address, 2) == 2


def test_each_thread_gets_its_own_exception(native: Native) -> None:
    """Two threads are inside C, each with an exception kept, while the other's calls go on."""
    call = native("upcall_int64", *TIMES)
    barrier = threading.Barrier(2)
    caught: dict[int, str] = {}

    def function(value: int) -> int:
        barrier.wait(20)
        raise LookupError(f"thread {value}")

    handle = made(native, function)

    def run(number: int) -> None:
        for _ in range(20):
            try:
                call(handle.address, number)
            except LookupError as error:
                caught[number] = str(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert caught == {0: "thread 0", 1: "thread 1"}


def test_a_kept_exception_does_not_stop_other_threads(native: Native) -> None:
    """While one thread has one, callbacks of the others run as ever."""
    call = native("call_times", *TIMES)
    kept, done = threading.Event(), threading.Event()
    results: list[int] = []

    def fails_first(value: int) -> int:
        if value == 0:
            raise LookupError("kept")
        return value

    failing, fine = made(native, fails_first), made(native, lambda value: value)

    def other() -> None:
        while not done.is_set():
            results.append(call(fine.address, 100))
            kept.set()

    thread = threading.Thread(target=other)
    thread.start()
    kept.wait(20)
    for _ in range(50):
        with pytest.raises(LookupError):
            call(failing.address, 2000)
    done.set()
    thread.join(60)
    assert set(results) == {sum(range(100))}


def test_what_another_library_leaves_is_not_raised_in_a_later_thread(
    native: Native, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that C was in was not made through here, and the thread ends: it is reported, once."""
    import ctypes

    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    handle = made(native, lambda value: 1 // 0)
    foreign = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(
        native.address("upcall_int64")
    )
    thread = threading.Thread(target=foreign, args=(handle.address, 5))
    thread.start()
    thread.join()
    deadline = time.monotonic() + 10
    while not reported and time.monotonic() < deadline:  # the thread's state ends a little after the thread
        time.sleep(0.01)
    assert [entry.exc_type for entry in reported] == [ZeroDivisionError]
    call = native("upcall_int64", *TIMES)
    fine = made(native, lambda value: value)
    threads = [threading.Thread(target=call, args=(fine.address, 1)) for _ in range(8)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len(reported) == 1
