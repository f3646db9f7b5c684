"""Locks of process-wide state: entered again by finalizers and signal handlers, free in forked children."""

from __future__ import annotations

import os
import threading

import pytest
from epsilon.foreign.backend.locks import ProcessLock


def test_a_thread_may_enter_twice_and_others_wait() -> None:
    lock = ProcessLock()
    entered = threading.Event()

    def enter() -> None:
        with lock:
            entered.set()

    with lock:
        with lock:
            pass
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.05)
    thread.join()
    assert entered.is_set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_finds_the_locks_of_other_threads_free() -> None:
    lock = ProcessLock()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:  # pragma: no cover
        with lock, lock:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    done.set()
    thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_by_the_holder_still_holds_it() -> None:
    lock = ProcessLock()
    with lock:
        child = os.fork()
        if child == 0:  # pragma: no cover
            with lock:
                pass
            lock.__exit__()
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
