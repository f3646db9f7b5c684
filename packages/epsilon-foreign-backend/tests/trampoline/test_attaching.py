"""Callbacks attach the thread whichever way they can tell who has the GIL, from wherever C calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import INT64, POINTER, Binding, Signature
from epsilon.foreign.backend.trampoline.backend import TrampolineBackend
from epsilon.foreign.backend.trampoline.cpython import own_state
from epsilon.foreign.backend.trampoline.host import host_target
from epsilon.foreign.backend.trampoline.memory import CodeHeap
from epsilon.foreign.backend.trampoline.stubs import Stubs

NUMBER = Signature(INT64, [INT64])
#: What is known of the current thread: as found here, only of the thread that has the GIL, nothing.
WAYS = {"as found": own_state(), "of any thread": False, "nothing": None}


@pytest.fixture(scope="module", params=WAYS)
def made(request: pytest.FixtureRequest) -> TrampolineBackend:
    way = WAYS[request.param]
    if way is not None and own_state() is None:
        pytest.skip("PyThreadState_GetUnchecked is not exported here")
    return TrampolineBackend(Stubs(host_target()._replace(own_state=way), CodeHeap()))


@pytest.fixture(params=[True, False], ids=["gil released", "gil held"])
def bind(request: pytest.FixtureRequest, made: TrampolineBackend, library: Library) -> Callable[..., Any]:
    def bound(symbol: str, *parameters: Any) -> Any:
        binding = Binding(Signature(INT64, parameters), symbol, release_gil=request.param)
        return made.bind(library.address(symbol), binding)

    return bound


def test_from_the_thread_that_called(made: TrampolineBackend, bind: Callable[..., Any]) -> None:
    handle = made.callback(lambda value: value + 1, NUMBER)
    assert bind("call_times", POINTER, INT64)(handle.address, 1000) == sum(range(1, 1001))


def test_from_calls_within_calls(made: TrampolineBackend, bind: Callable[..., Any]) -> None:
    call = bind("upcall_int64", POINTER, INT64)
    handle = made.callback(lambda value: call(handle.address, value - 1) + 1 if value else 0, NUMBER)
    assert call(handle.address, 30) == 30


def test_from_several_threads_of_python(made: TrampolineBackend, bind: Callable[..., Any]) -> None:
    call = bind("call_times", POINTER, INT64)
    handle = made.callback(lambda value: value, NUMBER)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(call(handle.address, 200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [sum(range(200))] * 4


def test_from_threads_that_python_has_never_seen(made: TrampolineBackend, library: Library) -> None:
    """The thread that calls C must have given the GIL up: it waits for the others."""
    call = made.bind(library.address("call_from_threads"), Binding(Signature(INT64, [POINTER, INT64, INT64])))
    inner = made.bind(library.address("call_times"), Binding(Signature(INT64, [POINTER, INT64])))
    quiet = made.callback(lambda value: 0, NUMBER)
    handle = made.callback(lambda value: value + 1 + inner(quiet.address, 3), NUMBER)
    assert call(handle.address, 8, 20) == 160 * 161 // 2
