"""Descriptors, and the two that are only numbers: closing, waiting, signals that interrupt, threads."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import pickle
import selectors
import signal
import sys
import threading
import time
import warnings

import pytest
from epsilon.foreign import api as ffi
from epsilon.foreign.ext.platform import kernel
from epsilon.foreign.ext.platform.kernel import Clock, EventFD, TimerFD, TimerState

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these interfaces are Linux'")

MAKERS = [
    EventFD,
    TimerFD,
    kernel.Epoll,
    kernel.Inotify,
    kernel.MemFD,
    lambda: kernel.SignalFD({signal.SIGUSR2}, block=False),
]


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("make", MAKERS)
def test_a_descriptor_is_closed_once(make) -> None:
    with make() as made:
        fd = made.fileno()
        assert is_open(fd) and not os.get_inheritable(fd) and not made.closed
        assert repr(made) == f"<{type(made).__name__} fd {fd}>"
    assert not is_open(fd) and made.closed and repr(made) == f"<{type(made).__name__} closed>"
    other = os.open("/", os.O_RDONLY)  # gets the number that is free now
    made.close()
    assert other == fd and is_open(other)
    os.close(other)
    for use in (made.fileno, made.detach, made.__enter__):
        with pytest.raises(kernel.ClosedDescriptorError, match="is closed"):
            use()
    assert issubclass(kernel.ClosedDescriptorError, ValueError)
    assert issubclass(kernel.ClosedDescriptorError, ffi.LifetimeError)
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(made)


@pytest.mark.parametrize("make", MAKERS)
def test_a_descriptor_that_is_dropped_is_closed_and_reported(make) -> None:
    made = make()
    fd = made.fileno()
    with pytest.warns(ResourceWarning, match=f"unclosed <.* fd {fd}>"):
        del made
        gc.collect()
    assert not is_open(fd)


def test_a_descriptor_given_away_stays_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        event = EventFD(2)
        fd = event.detach()
        assert event.closed
        del event
        gc.collect()
    assert os.read(fd, 8) == (2).to_bytes(8, sys.byteorder)
    os.close(fd)


def test_use_after_close_raises_everywhere() -> None:
    closed = [make() for make in MAKERS]
    for made in closed:
        made.close()
    event, timer, epoll, inotify, memory, signals = closed
    for use in (
        event.read,
        event.write,
        timer.read,
        timer.stop,
        lambda: timer.start(1),
        lambda: timer.state,
        epoll.wait,
        lambda: epoll.register(0),
        inotify.read,
        lambda: inotify.add("/"),
        lambda: inotify.remove(1),
        lambda: memory.size,
        lambda: memory.resize(1),
        lambda: memory.seals,
        memory.map,
        signals.read,
        lambda: signals.update([signal.SIGUSR2]),
    ):
        with pytest.raises(ValueError, match="is closed"):
            use()


def test_a_counter_adds_up_and_is_taken() -> None:
    with EventFD(3) as event:
        event.write()
        event.write(5)
        assert event.read() == 9
        with pytest.raises(TimeoutError):
            event.read(0)
    with EventFD(2, semaphore=True) as semaphore:
        assert [semaphore.read(), semaphore.read()] == [1, 1]
        with pytest.raises(kernel.WaitTimeoutError, match=r"<EventFD fd \d+> in 0.01 seconds"):
            semaphore.read(0.01)


def test_a_full_counter_is_waited_for() -> None:
    with EventFD() as event:
        event.write(EventFD.HIGHEST)
        with pytest.raises(TimeoutError):
            event.write(1, timeout=0.01)
        thread = threading.Thread(target=lambda: (time.sleep(0.02), event.read()))
        thread.start()
        event.write(4)
        thread.join()
        assert event.read() == 4


@pytest.mark.parametrize(
    ("count", "error"),
    [(-1, OverflowError), (1 << 64, OverflowError), ((1 << 64) - 1, OSError), ("1", TypeError)],
)
def test_what_does_not_fit_a_counter_is_refused(count, error) -> None:
    with EventFD() as event:
        with pytest.raises(error):
            event.write(count)
        with pytest.raises((OverflowError, TypeError)):
            EventFD(count if isinstance(count, str) else 1 << 32)


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan")])
def test_a_timeout_is_not_negative(timeout) -> None:
    with EventFD(1) as event, kernel.Epoll() as epoll:
        with pytest.raises(ValueError, match="number of seconds from 0 on"):
            event.read(timeout)
        with pytest.raises(ValueError, match="number of seconds from 0 on"):
            epoll.wait(timeout)
        assert event.read(float("inf")) == 1


def test_waiting_takes_as_long_as_it_was_told() -> None:
    with EventFD() as event:
        for timeout in (0, 0.0001, 0.05):
            start = time.monotonic()
            with pytest.raises(TimeoutError):
                event.read(timeout)
            assert timeout <= time.monotonic() - start < timeout + 10


def test_other_threads_run_while_one_waits() -> None:
    with EventFD() as event:
        found = []
        thread = threading.Thread(target=lambda: found.append(event.read()))
        thread.start()
        time.sleep(0.02)
        event.write(7)
        thread.join(5)
        assert found == [7]


def test_signals_are_handled_in_between_and_the_wait_goes_on() -> None:
    handled = []
    before = signal.signal(signal.SIGALRM, lambda *_: handled.append(time.monotonic()))
    try:
        with EventFD() as event, kernel.Epoll() as epoll, kernel.SignalFD([signal.SIGUSR2]) as signals:
            for wait in (lambda: event.read(0.1), lambda: signals.read(0.1), lambda: epoll.wait(0.1)):
                handled.clear()
                signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
                start = time.monotonic()
                try:
                    assert wait() == []  # an epoll's answer; the others raise
                except TimeoutError:
                    pass
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                assert time.monotonic() - start >= 0.1 and handled
    finally:
        signal.signal(signal.SIGALRM, before)


def test_what_a_signals_handler_raises_ends_the_wait() -> None:
    class Interrupted(Exception):
        pass

    def handle(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with EventFD() as event, kernel.Epoll() as epoll:
            for wait in (event.read, epoll.wait):
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                with pytest.raises(Interrupted):
                    wait()
            event.write(1)
            assert event.read(0) == 1
    finally:
        signal.signal(signal.SIGALRM, before)


def test_threads_share_a_semaphore_fairly_enough() -> None:
    taken = []
    with EventFD(semaphore=True) as semaphore:

        def take() -> None:
            while True:
                semaphore.read(10)
                taken.append(1)
                if len(taken) >= 200:
                    return

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        semaphore.write(200 + len(threads))
        for thread in threads:
            thread.join(10)
        assert 200 <= len(taken) <= 204


def test_racing_to_close_closes_one_descriptor() -> None:
    for _ in range(100):
        event = EventFD()
        threads = [threading.Thread(target=event.close) for _ in range(3)]
        guard = os.open("/", os.O_RDONLY)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert is_open(guard)
        os.close(guard)


def test_no_descriptors_left_is_an_error_of_the_system(run) -> None:
    out = run(
        "import resource, os\n"
        "from epsilon.foreign.ext.platform import kernel\n"
        "kernel.EventFD().close(); kernel.TimerFD().close(); kernel.Epoll().close(); kernel.MemFD().close()\n"
        "kernel.Inotify().close()\n"
        "kernel.Seals\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "for make in (kernel.EventFD, kernel.TimerFD, kernel.Epoll, kernel.MemFD, kernel.Inotify):\n"
        "    try: make()\n"
        "    except OSError as error: print(error)\n"
    )
    assert len(out.splitlines()) == 5 and all("EMFILE" in line for line in out.splitlines())


def test_a_timer_expires_once_or_again_and_again() -> None:
    with TimerFD() as timer:
        assert timer.state == TimerState(0, 0)
        assert timer.start(1000) == (0, 0)
        assert 900 < timer.state.left <= 1000 and timer.state.interval == 0
        assert timer.start(0.01).left > 900
        assert timer.read(10) == 1
        assert timer.state == (0, 0)
        with pytest.raises(TimeoutError):
            timer.read(0.02)
        timer.start(0.001, 0.001)
        time.sleep(0.02)
        assert timer.read() >= 10
        left, interval = timer.stop()
        assert left <= 0.001 and interval == 0.001
        with pytest.raises(TimeoutError):
            timer.read(0.01)
        timer.start(0)
        assert timer.read(1) == 1


def test_a_timer_goes_by_the_clock_it_was_given() -> None:
    with TimerFD(Clock.REALTIME) as timer:
        timer.start_at(time.time() + 0.01)
        assert timer.read(5) == 1
        timer.start_at(time.time() - 100)
        assert timer.read(0.5) == 1  # what is over has happened
        timer.start_at(time.time() + 1000, 5, cancel_on_set=True)
        assert 900 < timer.state.left <= 1000 and timer.state.interval == 5
    with TimerFD(Clock.BOOTTIME) as timer:
        timer.start_at(time.clock_gettime(time.CLOCK_BOOTTIME) + 0.01)
        assert timer.read(5) == 1


@pytest.mark.parametrize("wrong", [-1, -1e-9, float("nan"), float("inf"), 1e30])
def test_a_time_is_a_number_of_seconds(wrong) -> None:
    with TimerFD() as timer:
        for start in (timer.start, timer.start_at, lambda seconds: timer.start(1, seconds)):
            with pytest.raises(ValueError, match="number of seconds"):
                start(wrong)
        assert timer.state == (0, 0)


def test_no_such_clock_is_refused() -> None:
    with pytest.raises(OSError) as raised:
        TimerFD(1234)  # type: ignore[arg-type]
    assert raised.value.errno == errno.EINVAL and isinstance(raised.value, ffi.ForeignError)


def test_descriptors_work_in_selectors() -> None:
    with selectors.DefaultSelector() as selector, EventFD() as event, TimerFD() as timer:
        selector.register(event, selectors.EVENT_READ, "event")
        selector.register(timer, selectors.EVENT_READ, "timer")
        assert selector.select(0) == []
        event.write(1)
        assert [key.data for key, _ in selector.select(1)] == ["event"]
        event.read()
        timer.start(0.005)
        assert [key.data for key, _ in selector.select(5)] == ["timer"]


def test_descriptors_work_in_asyncio() -> None:
    async def ticks() -> int:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        with TimerFD() as timer:

            def tick() -> None:
                nonlocal count
                count += timer.read(0)
                if count >= 3:
                    done.set_result(count)

            count = 0
            loop.add_reader(timer, tick)
            timer.start(0.002, 0.002)
            try:
                return await asyncio.wait_for(done, 10)
            finally:
                loop.remove_reader(timer)

    assert asyncio.run(ticks()) >= 3


def test_the_chosen_backend_does_not_serve_the_kernels_objects() -> None:
    """It may call in another process, and a descriptor is of this one."""
    from epsilon.foreign.ext.platform.clib import libc

    usual = ffi.describe(libc.bind("getpid", ffi.c.int)).backend
    for name in ffi.available_backends():
        with ffi.use_backend(name):
            assert ffi.describe(libc.bind("getpid", ffi.c.int)).backend == usual


@pytest.mark.once
def test_a_program_whose_calls_run_elsewhere_has_its_own_descriptors_and_pages(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPSILON_FOREIGN_BACKEND", "isolated")
    out = run(
        "import epsilon.foreign.api as ffi\n"
        "from epsilon.foreign.api import c\n"
        "from epsilon.foreign.ext.platform import SecretArena, kernel, lock, map\n"
        "assert ffi.select_backend().name == 'isolated'\n"
        "with kernel.EventFD(3) as event, kernel.MemFD(size=100) as file, map(5000, lock=True) as region:\n"
        "    with file.map() as shared, SecretArena() as arena:\n"
        "        shared.array()[0] = 7; region.array()[4999] = 8; secret = arena.take(bytearray(b'abc'))\n"
        "        memset = ffi.Library(None).bind('memset', c.pointer, [ffi.Pointer[c.uint8], c.int, c.size_t])\n"
        "        memset(region.pointer(), 9, 10)\n"
        "        print(event.read(), region.array()[9], region.array()[4999], secret[2], file.seals)\n"
    )
    assert out == "3 9 8 99 0\n"


def test_functions_that_a_system_lacks_raise_when_they_are_called() -> None:
    from epsilon.foreign.ext.platform import UnsupportedPlatformError
    from epsilon.foreign.ext.platform.clib import libc

    missing = libc.bind("no_such_function", ffi.c.int, [ffi.c.int])
    with pytest.raises(UnsupportedPlatformError, match=r"this system \(linux\) has no no_such_function\(\)"):
        missing(1)
    assert issubclass(UnsupportedPlatformError, NotImplementedError)
