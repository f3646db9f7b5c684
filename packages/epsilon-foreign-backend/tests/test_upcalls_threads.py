"""Callbacks from threads that C makes: many at once, and around the end of the interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import INT64, POINTER, Marshal, Signature, Upcall, UpcallParameter, pending

NUMBER = Signature(INT64, [INT64])
THREADS = 16
CALLS = 20_000 if os.environ.get("EPSILON_FOREIGN_THOROUGH") else 2_000


@pytest.fixture(autouse=True)
def nothing_pending() -> Iterator[None]:
    """No test leaves an exception for a later call to raise."""
    yield
    assert pending.take() is None
    assert not pending.kept


@pytest.mark.parametrize("release_gil", [True], ids=["releasing"])
def test_many_threads_at_once_lose_nothing(native: Native, release_gil: bool) -> None:
    native.needs("callbacks")
    seen: dict[int, list[int]] = {}

    def function(value: int) -> int:
        seen.setdefault(threading.get_ident(), []).append(value)
        return value + 1

    handle = native.backend.callback(function, Upcall(NUMBER))
    call = native("call_from_threads", INT64, [POINTER, INT64, INT64], release_gil=release_gil)
    total = THREADS * CALLS
    assert call(handle.address, THREADS, CALLS) == total * (total + 1) // 2
    assert sorted(value for values in seen.values() for value in values) == list(range(total))


def test_exceptions_of_many_threads_are_all_reported(native: Native) -> None:
    """Each to its own callback's handler; what does not raise goes on."""
    native.needs("callbacks")
    failures: list[int] = []

    def function(value: int) -> int:
        if value % 10 == 0:
            raise LookupError(value)
        return 1

    upcall = Upcall(NUMBER, error=0, onerror=lambda error: failures.append(error.args[0]))
    handle = native.backend.callback(function, upcall)
    call = native("call_from_threads", INT64, [POINTER, INT64, INT64])
    assert call(handle.address, THREADS, 200) == THREADS * 180
    assert Counter(failures) == Counter(range(0, THREADS * 200, 10))


def test_callbacks_are_made_and_dropped_on_many_threads(native: Native) -> None:
    native.needs("callbacks")
    call = native("upcall_int64", INT64, [POINTER, INT64])
    upcall = Upcall(NUMBER)
    wrong: list[object] = []

    def run(number: int) -> None:
        try:
            for value in range(1_500):
                handle = native.backend.callback(lambda x: x + number, upcall)
                if call(handle.address, value) != value + number:
                    wrong.append((number, value))
                if value % 3:
                    handle.release()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


SETUP = """
import atexit, os, sys, threading, time
sys.path[:] = {path!r}
from epsilon.foreign.backend import INT32, INT64, POINTER, VOID, Binding, Signature, Upcall, get_backend, loader
backend = get_backend({name!r})
library = loader.dlopen({library!r})
def bind(symbol, result, parameters):
    return backend.bind(loader.dlsym(library, symbol), Binding(Signature(result, parameters), symbol))
NUMBER = Signature(INT64, [INT64])
"""


def run(native: Native, library_path: str, body: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, for what ends with it."""
    native.needs("callbacks")
    if native.backend.name != "trampoline":
        pytest.skip(f"the {native.backend.name} backend's closures ask for an interpreter that is gone")
    setup = SETUP.format(path=[p for p in sys.path if p], name=native.backend.name, library=library_path)
    return subprocess.run(
        [sys.executable, "-c", setup + textwrap.dedent(body)],
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_destructor_in_c_gets_the_error_value(native: Native, library_path: str) -> None:
    done = run(
        native,
        library_path,
        """
        handle = backend.callback(lambda value: 1, Upcall(NUMBER, error=-5))
        bind("call_at_end", VOID, [POINTER])(handle.address)
        """,
    )
    assert (done.returncode, done.stdout) == (0, "at the end: -5\n"), done.stderr


def test_a_callback_of_an_exit_handler_still_runs(native: Native, library_path: str) -> None:
    """On the thread that ends the interpreter, while there is one."""
    done = run(
        native,
        library_path,
        """
        handle = backend.callback(lambda value: 2 * value, Upcall(NUMBER, error=-5))
        call = bind("upcall_int64", INT64, [POINTER, INT64])
        atexit.register(lambda: print("in time:", call(handle.address, 21), flush=True))
        from epsilon.foreign.backend import pending
        atexit.unregister(pending._begin_finalizing)
        atexit.register(pending._begin_finalizing)
        """,
    )
    assert (done.returncode, done.stdout) == (0, "in time: 42\n"), done.stderr


@pytest.mark.parametrize("threads", [1, 16])
def test_threads_that_call_for_ever_do_not_disturb_the_end(
    native: Native, library_path: str, threads: int
) -> None:
    for _ in range(3):
        done = run(
            native,
            library_path,
            f"""
            handle = backend.callback(lambda value: value, Upcall(NUMBER))
            assert bind("start_for_ever", INT32, [POINTER, INT32])(handle.address, {threads}) == 0
            time.sleep(0.05)
            print("leaving", flush=True)
            """,
        )
        assert done.returncode == 0, f"{signal.strsignal(-done.returncode)}: {done.stderr}"
        assert done.stdout == "leaving\n"
        assert not done.stderr


def test_a_forked_child_has_callbacks_of_its_own(native: Native, library_path: str) -> None:
    done = run(
        native,
        library_path,
        """
        call = bind("upcall_int64", INT64, [POINTER, INT64])
        both = backend.callback(lambda value: value + len(os.environ.get("WHO", "")), Upcall(NUMBER))
        assert call(both.address, 1) == 1
        child = os.fork()
        os.environ["WHO"] = "me" if child else "child"
        own = [backend.callback(lambda value, n=n: value + n, Upcall(NUMBER)) for n in range(2000)]
        assert all(call(one.address, 5) == 5 + n for n, one in enumerate(own))
        assert call(both.address, 1) == (3 if child else 6)
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            print("both", flush=True)
        """,
    )
    assert (done.returncode, done.stdout) == (0, "both\n"), done.stderr


def test_natural_values_of_a_thread_that_c_made_are_its_own(native: Native) -> None:
    """Text is converted there too."""
    native.needs("callbacks")
    text = Upcall(
        Signature(INT64, [POINTER]), parameters=(UpcallParameter(Marshal.STRING),), error=-1, onerror=print
    )
    handle = native.backend.callback(lambda value: 0 if value is None else len(value), text)
    call = native("call_from_threads", INT64, [POINTER, INT64, INT64])
    assert call(handle.address, 1, 1) == 0
