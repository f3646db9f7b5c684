"""How long callbacks live: what C calls too late, what dies while it runs, and what memory they take."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import sysconfig
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import INT64, POINTER, CallbackHandle, LifetimeError, Signature, Upcall, pending

NUMBER = Signature(INT64, [INT64])
SHARED = Upcall(NUMBER, error=-1)
TIMES = (INT64, [POINTER, INT64])
#: Releases that a released callback is promised to outlive.
PROMISED = 10_000
#: Callbacks made and dropped by the memory test; a million in a thorough run.
DROPPED = 1_000_000 if os.environ.get("EPSILON_FOREIGN_THOROUGH") else 40_000
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What reached `sys.unraisablehook`."""
    caught: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", caught.append)
    yield caught


@pytest.fixture(autouse=True)
def nothing_pending() -> Iterator[None]:
    """No test leaves an exception for a later call to raise."""
    yield
    assert pending.take() is None


def made(native: Native, function: Callable[..., Any], upcall: Upcall = SHARED) -> CallbackHandle:
    """A callback of the signature that these tests share."""
    native.needs("callbacks")
    return native.backend.callback(function, upcall)


def doubles(value: int) -> int:
    return 2 * value


@pytest.mark.parametrize("way", ["released", "dropped"])
def test_a_late_call_is_caught_for_the_promised_number_of_callbacks(
    native: Native, unraisable: list[Any], way: str
) -> None:
    call = native("upcall_int64", *TIMES)
    gc.collect()  # callbacks of other tests that die meanwhile would count
    late: CallbackHandle | None = made(native, doubles)
    assert late is not None
    address = late.address
    if way == "released":
        late.release()
    late = None
    assert call(address, 5) == -1
    for _ in range(PROMISED):
        made(native, doubles).release()
    assert call(address, 5) == -1
    assert len(unraisable) == 2
    assert all(issubclass(entry.exc_type, LifetimeError) for entry in unraisable)
    assert "doubles" in str(unraisable[-1].exc_value)


def test_addresses_are_used_again_and_call_the_new_function(native: Native) -> None:
    call = native("upcall_int64", *TIMES)
    if native.backend.name != "trampoline":
        pytest.skip(f"the {native.backend.name} backend's addresses are its library's affair")
    addresses = set()
    for number in range(2 * PROMISED + 500):
        handle = made(native, partial(int.__add__, number))
        addresses.add(handle.address)
        if number % 500 == 0:
            assert call(handle.address, 1) == number + 1
        handle.release()
    assert len(addresses) < 2 * PROMISED


@pytest.mark.parametrize("way", ["released", "dropped"])
def test_a_callback_may_end_itself(native: Native, way: str) -> None:
    """The function goes on to its end although nobody else refers to it; later ones are served too."""
    call = native("upcall_int64", *TIMES)
    holder: dict[str, Any] = {}

    class Function:
        def __call__(self, value: int) -> int:
            handle = holder.pop("handle")
            if way == "released":
                handle.release()
            del handle
            gc.collect()
            for _ in range(50):
                made(native, doubles).release()
            return value + len(self.__dict__)

    holder["handle"] = made(native, Function())
    assert call(holder["handle"].address, 5) == 5


def test_a_running_callback_outlives_the_quarantine(native: Native) -> None:
    call = native("upcall_int64", *TIMES)
    inside = made(native, doubles)

    def function(value: int) -> int:
        outer.release()
        for _ in range(PROMISED + 200):
            made(native, doubles).release()
        return call(inside.address, value) + 1

    outer = made(native, function)
    assert call(outer.address, 5) == 11


def test_a_callback_in_a_cycle_is_collected(native: Native) -> None:
    if FREE_THREADED and native.backend.name == "trampoline":
        pytest.skip("without a GIL a released callback keeps its function for a while: it may be running")

    class Owner:
        def method(self, value: int) -> int:
            return value

    owner = Owner()
    owner.handle = made(native, owner.method)  # type: ignore[attr-defined]
    reference = weakref.ref(owner)
    del owner
    gc.collect()
    gc.collect()
    assert reference() is None


def test_a_handler_is_let_go_of_with_its_callback(native: Native) -> None:
    class Handler:
        def __call__(self, error: BaseException) -> None: ...

    handler = Handler()
    reference = weakref.ref(handler)
    handle: CallbackHandle | None = made(native, doubles, Upcall(NUMBER, onerror=handler))
    assert handle is not None
    handle = None
    del handler
    for _ in range(2 * PROMISED):  # what C calls too late still goes to it
        made(native, doubles).release()
    gc.collect()
    assert reference() is None


def _resident() -> int:
    """Bytes of this process in memory."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc here")
def test_memory_stays_flat(native: Native) -> None:
    def make_and_drop(count: int) -> None:
        for number in range(count):
            handle = made(native, doubles)
            if number % 2:
                handle.release()

    make_and_drop(PROMISED + 5_000)
    before = _resident()
    make_and_drop(DROPPED)
    grown = _resident() - before
    assert grown < 64 * DROPPED // 10 + 1_000_000, f"{grown} bytes for {DROPPED} callbacks"


def test_a_handle_that_was_never_finished_can_be_released() -> None:
    trampoline = pytest.importorskip("epsilon.foreign.backend.trampoline.callback")
    handle = trampoline.TrampolineCallback()
    assert handle.address == 0
    handle.release()
    handle.release()
    del handle
    gc.collect()


def test_foreign_code_of_ctypes_may_call_it(native: Native) -> None:
    handle = made(native, doubles)
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(handle.address)
    assert function(21) == 42
