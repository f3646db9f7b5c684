"""Many threads, forked children, finalizers and signal handlers: they call, bind and close at any moment."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import (
    DOUBLE,
    INT32,
    INT64,
    POINTER,
    UINT64,
    VOID,
    Binding,
    ClosedLibraryError,
    Marshal,
    Parameter,
    Signature,
    get_backend,
)
from epsilon.foreign.backend.trampoline.backend import TrampolineBackend
from epsilon.foreign.backend.trampoline.host import host_target
from epsilon.foreign.backend.trampoline.memory import CodeHeap
from epsilon.foreign.backend.trampoline.stubs import Stubs

THREADS = 8
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()
ADD = Signature(INT64, [INT64, INT64])


@pytest.fixture
def trampoline() -> TrampolineBackend:
    """One without stubs, so that the tests see them made."""
    return TrampolineBackend(Stubs(host_target(), CodeHeap()))


#: Arguments for the parameters that `variant` adds.
MORE = (0,) * 8


def variant(number: int) -> Binding:
    """`add` with eight further parameters, which C ignores: another signature for each of 256 numbers."""
    more = [DOUBLE if number >> bit & 1 else INT64 for bit in range(len(MORE))]
    return Binding(Signature(INT64, [INT64, INT64, *more]), "add")


def at_once(work: Callable[[int], None]) -> None:
    """Run `work(0)`, `work(1)`, … on as many threads, started together; raises what the first one raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]


def test_threads_that_bind_the_same_signatures_share_their_stubs(
    trampoline: TrampolineBackend, library: Library
) -> None:
    address = library.address("add")
    before = trampoline.stubs.statistics.stubs

    def work(number: int) -> None:
        for count in range(40):
            assert trampoline.bind(address, variant(count))(number, count, *MORE) == number + count

    at_once(work)
    made = trampoline.stubs.statistics.stubs - before
    assert made == 40


@pytest.mark.parametrize("release_gil", [True, False])
def test_threads_call_one_function(
    trampoline: TrampolineBackend, library: Library, release_gil: bool
) -> None:
    add = trampoline.bind(library.address("add"), Binding(ADD, "add", release_gil=release_gil))
    checksum = trampoline.bind(
        library.address("checksum"),
        Binding(Signature(UINT64, [POINTER, UINT64]), parameters=(Parameter(marshal=Marshal.BUFFER),)),
    )
    shared = b"shared by all threads"
    wanted = checksum(shared, len(shared))

    def work(number: int) -> None:
        # Its own: free-threaded 3.13 counts the exports of a bytearray without a lock.
        own = bytearray(shared)
        for i in range(3000):
            assert add(number, i) == number + i
            assert checksum(own if i % 2 else shared, len(own)) == wanted
            if i % 50 == 0:
                with pytest.raises(OverflowError):
                    add(number, 2**63)
                with pytest.raises(TypeError):
                    add(number, "one")
        own.append(1)  # nothing is exported

    at_once(work)


def test_threads_call_while_others_close_and_open(trampoline: TrampolineBackend, library: Library) -> None:
    """A closed function raises; an open one calls one of its two addresses; nothing else ever happens."""
    addresses = [library.address("whole_register_true"), library.address("whole_register_false")]
    binding = Binding(Signature(UINT64), "whole")
    shared = trampoline.bind(addresses[0], binding)
    results = {0xDEADBEEFCAFEF001, 0xDEADBEEFCAFEF000}

    def work(number: int) -> None:
        for i in range(1500):
            if number == 0:
                trampoline.redirect(shared, (None, *addresses)[i % 3])
            own = trampoline.bind(addresses[i % 2], binding)
            assert own() in results
            trampoline.redirect(own, None)
            with pytest.raises(ClosedLibraryError):
                own()
            with contextlib.suppress(ClosedLibraryError):
                assert shared() in results

    at_once(work)


def test_a_function_closed_before_its_first_call_stays_closed(
    trampoline: TrampolineBackend, library: Library
) -> None:
    """Linking a stub on one thread must not open what another thread closes."""
    for count in range(150):
        function: Any = trampoline.bind(library.address("add"), variant(count))
        start = threading.Barrier(2)

        def call(function: Any = function, start: Any = start) -> None:
            start.wait()
            with contextlib.suppress(ClosedLibraryError):
                function(1, 2, *MORE)

        thread = threading.Thread(target=call)
        thread.start()
        start.wait()
        trampoline.redirect(function, None)
        thread.join()
        with pytest.raises(ClosedLibraryError):
            function(1, 2, *MORE)


def test_a_finalizer_may_make_stubs_while_one_is_made(
    trampoline: TrampolineBackend, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = library.address("add")
    results = []

    class Finalized:
        def __del__(self) -> None:
            results.append(trampoline.bind(address, variant(9))(20, 22, *MORE))

    original = trampoline.stubs.heap.allocate

    def allocate(code: bytes, name: str = "stub") -> int:
        monkeypatch.undo()
        garbage: Any = Finalized()
        garbage.itself = garbage
        del garbage
        gc.collect()
        return original(code, name)

    monkeypatch.setattr(trampoline.stubs.heap, "allocate", allocate)
    assert trampoline.bind(address, Binding(ADD))(1, 2) == 3
    assert results == [42]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_a_signal_handler_may_make_stubs(trampoline: TrampolineBackend, library: Library) -> None:
    address = library.address("add")
    handled: list[bool] = []

    def handle(*_: object) -> None:
        number = len(handled)
        handled.append(trampoline.bind(address, variant(number))(number, 1, *MORE) == number + 1)
        if number < 60:
            signal.setitimer(signal.ITIMER_REAL, 0.0005)

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    try:
        deadline = time.monotonic() + 30
        count = 0
        while len(handled) <= 60 and time.monotonic() < deadline:
            assert trampoline.bind(address, variant(255 - count % 190))(1, 2, *MORE) == 3
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert len(handled) == 61
    assert all(handled)


# Forked children


def in_child(check: Callable[[], object]) -> int:
    """The exit status of a forked child: 0 when `check` returned there, 1 when it raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            check()
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
#: 3.12 and later warn where threads and fork are mixed, which is what is tested here.
forks = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@needs_fork
@forks
def test_a_child_calls_old_functions_and_binds_new_ones(
    trampoline: TrampolineBackend, library: Library
) -> None:
    address = library.address("add")
    old = trampoline.bind(address, Binding(ADD, "add"))
    uncalled = trampoline.bind(address, variant(1))
    assert old(1, 2) == 3
    code = {block: trampoline.stubs.heap.code(block.address) for block in trampoline.stubs.heap.blocks}

    def check() -> None:
        assert old(3, 4) == 7
        assert uncalled(5, 6, *MORE) == 11
        for count in range(2, 30):
            assert trampoline.bind(address, variant(count))(1, count, *MORE) == 1 + count
        with pytest.raises(TypeError):
            old(1, "2")
        trampoline.redirect(old, None)
        with pytest.raises(ClosedLibraryError):
            old(1, 2)
        callback = trampoline.callback(lambda x: x + 1, Signature(INT64, [INT64]))
        call = trampoline.bind(library.address("call_times"), Signature(INT64, [POINTER, INT64]))
        assert call(callback.address, 3) == 6

    assert in_child(check) == 0
    # The child wrote nothing that the parent runs.
    assert {
        block: trampoline.stubs.heap.code(block.address) for block in trampoline.stubs.heap.blocks
    } == code
    assert old(3, 4) == 7
    assert uncalled(5, 6, *MORE) == 11


@needs_fork
@forks
@pytest.mark.skipif(
    FREE_THREADED,
    reason="without a GIL a child inherits the locks of CPython's own dicts as other threads held them",
)
def test_children_are_forked_while_other_threads_make_stubs(
    trampoline: TrampolineBackend, library: Library
) -> None:
    address = library.address("add")
    stop = threading.Event()

    def make() -> None:
        count = 0
        while not stop.is_set():
            assert trampoline.bind(address, variant(count % 90))(1, 2, *MORE) == 3
            count += 1

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(12):

            def check(number: int = number) -> None:
                for count in range(90 + number, 100 + number):
                    assert trampoline.bind(address, variant(count))(1, 2, *MORE) == 3

            assert in_child(check) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@needs_fork
@forks
def test_parent_and_child_go_on_independently(trampoline: TrampolineBackend, library: Library) -> None:
    address = library.address("add")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for count in range(50):
                assert trampoline.bind(address, variant(count))(1, count, *MORE) == 1 + count
            os.write(writing, b"!")
            status = 0
        finally:
            os._exit(status)
    for count in reversed(range(50)):
        assert trampoline.bind(address, variant(count))(1, count, *MORE) == 1 + count
    assert os.read(reading, 1) == b"!"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(reading)
    os.close(writing)


@needs_fork
@forks
def test_a_child_finds_no_exception_of_its_parents_threads(
    trampoline: TrampolineBackend, library: Library
) -> None:
    """What a callback on another thread raised belongs to a foreign call that is not in the child."""
    from epsilon.foreign.backend import pending

    nothing = trampoline.bind(library.address("nothing"), Signature(VOID))
    keeps, done = threading.Event(), threading.Event()

    def keep() -> None:
        pending.keep(ValueError("of another thread"))
        keeps.set()
        done.wait()
        pending.take()

    thread = threading.Thread(target=keep)
    thread.start()
    keeps.wait()

    def check() -> None:
        assert pending.count[0] == 0
        nothing()

    try:
        nothing()  # looks, and finds that it is not this thread's
        assert in_child(check) == 0
    finally:
        done.set()
        thread.join()


def test_the_backend_of_the_process_is_one() -> None:
    found: list[object] = []
    at_once(lambda _: found.append(get_backend("trampoline")))
    assert len(set(map(id, found))) == 1


def test_errno_is_each_threads_own(trampoline: TrampolineBackend, library: Library) -> None:
    fail = trampoline.bind(
        library.address("fail_with"),
        Binding(
            Signature(INT32, [INT32, INT32]), capture_errno=True, finish=lambda result, errno: (result, errno)
        ),
    )

    def work(number: int) -> None:
        for i in range(1000):
            assert fail(number + 1, i) == (i, number + 1)

    at_once(work)
