"""A backend that is closed or restarted by what runs in the middle of its call."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from platform_support.isolating import alive, eventually, linux

pytestmark = [pytest.mark.once, linux]

Function = ffi.Callback[[c.int], c.int]


def call_of(backend: Any, crashes: str) -> Any:
    """``int call_back(int (*)(int), int)``, in the backend's process."""
    with ffi.use_backend(backend):
        return ffi.Library(crashes).bind("call_back", c.int, [Function, c.int])


def test_a_callback_that_closes_the_backend_ends_the_call(crashes: str) -> None:
    backend = platform.isolated(timeout=20)
    call = call_of(backend, crashes)
    assert call(lambda x: x + 1, 1) == 2
    child = backend.process

    def close(x: int) -> int:
        backend.close()
        return x

    with pytest.raises(platform.ForeignCrash, match="stopped"):
        call(close, 1)
    assert eventually(lambda: not alive(child))
    with pytest.raises(ffi.LifetimeError, match="the isolated backend is closed"):
        call(close, 1)
    backend.close()


def test_a_callback_in_a_callback_may_close_the_backend(crashes: str) -> None:
    backend = platform.isolated(timeout=20)
    call = call_of(backend, crashes)
    seen = []

    def inner(x: int) -> int:
        backend.close()
        return x

    def outer(x: int) -> int:
        try:
            return call(inner, x)
        except platform.ForeignCrash as error:
            seen.append(error)
            return 0

    with pytest.raises(platform.ForeignCrash):
        call(outer, 1)
    assert len(seen) == 1


def test_memory_in_use_outlives_a_close_in_a_callback(crashes: str) -> None:
    backend = platform.isolated(timeout=20)
    call = call_of(backend, crashes)
    with ffi.use_backend(backend):
        values = ffi.alloc(c.int, 100)
    with pytest.raises(platform.ForeignCrash):
        call(lambda x: backend.close() or x, 1)
    values[99] = 5
    assert values[99] == 5
    values.release()


def test_a_signal_handler_may_close_the_backend_during_a_call(crashes: str) -> None:
    backend = platform.isolated(timeout=20)
    with ffi.use_backend(backend):
        sleep = ffi.Library(crashes).bind("sleep_forever", None)
    before = signal.signal(signal.SIGUSR1, lambda *_: backend.close())
    try:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        begin = time.monotonic()
        with pytest.raises(platform.ForeignCrash, match=r"sleep_forever\(\) lost its process: stopped"):
            sleep()
        assert time.monotonic() - begin < 15
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_callback_that_restarts_the_process_ends_the_call_and_no_more(crashes: str) -> None:
    with platform.isolated(timeout=20) as backend:
        call = call_of(backend, crashes)
        with pytest.raises(platform.ForeignCrash, match="stopped"):
            call(lambda x: backend.restart() or x, 1)
        assert call(lambda x: x + 1, 1) == 2
