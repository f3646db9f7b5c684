"""Two hundred thousand calls leave references and memory as they were, whether they succeed or fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backend_support.native import Library, Native, settled
from epsilon.foreign.backend import (
    DOUBLE,
    INT32,
    INT64,
    POINTER,
    UINT64,
    Backend,
    Binding,
    Guard,
    Marshal,
    Parameter,
    Signature,
)

EMULATED = "QEMU_LD_PREFIX" in os.environ
CALLS = 4_000 if EMULATED else 200_000
#: Growth that a leak of 16 bytes a call would exceed, and the allocator's own habits do not.
ALLOWED = 2 * 1024 * 1024


def resident() -> int:
    """Bytes of this process in memory (proc(5))."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except FileNotFoundError:
        pytest.skip("no /proc/self/statm to read the size of the process from")
    return pages * os.sysconf("SC_PAGE_SIZE")


def flat(call: Callable[[], object], count: int = CALLS) -> None:
    """Assert that `count` calls change neither the number of memory blocks nor the size of the process."""
    for _ in range(2000):
        call()
    settled()
    blocks, size = sys.getallocatedblocks(), resident()
    for _ in range(count):
        call()
    settled()
    # Fewer than one block in a hundred calls, or twenty in few: caches fill, counters outgrow the small integers.
    assert sys.getallocatedblocks() - blocks < max(20, count // 100)
    if not EMULATED:
        assert resident() - size < ALLOWED


def failing(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[[], None]:
    def call() -> None:
        try:
            function(*args, **kwargs)
        except (TypeError, ValueError, OverflowError):
            return
        raise AssertionError(f"{function} {args} did not fail")

    return call


STRING = Parameter("text", Marshal.STRING)
BUFFER = Parameter("data", Marshal.BUFFER)


def test_numbers(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64])
    flat(lambda: add(2**60, 12345678))
    half = native("half", DOUBLE, [DOUBLE], release_gil=False)
    flat(lambda: half(1e300), CALLS // 2)


def test_numbers_by_the_slow_way(native: Native) -> None:
    add = native("add", INT64, [INT64, INT64], Parameter("a"), Parameter("b", default=5))
    flat(lambda: add(a=2**60), CALLS // 4)
    half = native("half", DOUBLE, [DOUBLE])
    flat(lambda: half(2**80), CALLS // 4)


def test_strings_and_buffers(native: Native) -> None:
    text, data = "h\xe9" * 40, bytearray(100)
    length = native("length", INT64, [POINTER], STRING)
    flat(lambda: length(text), CALLS // 2)
    total = native("checksum", UINT64, [POINTER, UINT64], BUFFER)
    flat(lambda: total(data, 100), CALLS // 2)
    data.append(1)  # nothing is still exported


def test_results(native: Native) -> None:
    text = native("text", POINTER, [INT32], result_marshal=Marshal.STRING)
    flat(lambda: text(3), CALLS // 2)
    same = native("same", POINTER, [POINTER])
    flat(lambda: same(2**63), CALLS // 2)


def test_finish_and_errno(native: Native) -> None:
    fail = native(
        "fail_with",
        INT32,
        [INT32, INT32],
        finish=lambda r, e: (r, e),
        capture_errno=True,
        guard=Guard.NEGATIVE,
    )
    flat(lambda: fail(100_000, -70_000), CALLS // 2)
    flat(lambda: fail(100_000, 70_000), CALLS // 2)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [(("x", 1), {}), ((2**70, 1), {}), ((1,), {}), ((1, 2, 3), {}), ((1, 2), {"c": 3}), ((1,), {"b": None})],
)
def test_errors(native: Native, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    add = native("add", INT64, [INT64, INT64], Parameter("a"), Parameter("b"))
    flat(failing(add, *args, **kwargs), CALLS // 10)


def test_errors_after_a_buffer_was_taken(native: Native) -> None:
    data = bytearray(10)
    total = native("checksum", UINT64, [POINTER, UINT64], BUFFER)
    flat(failing(total, data, "ten"), CALLS // 10)
    data.append(1)


def test_errors_of_finish(native: Native) -> None:
    def finish(result: int) -> None:
        raise ValueError(result)

    echo = native("echo_int32", INT32, [INT32], finish=finish)
    flat(failing(echo, 5), CALLS // 4)


@pytest.mark.parametrize("slow", [False, True], ids=["inline", "fallback"])
def test_references_of_arguments_and_results_stay_as_they_were(native: Native, slow: bool) -> None:
    class Number:
        def __index__(self) -> int:
            return 2**40

    arguments = [
        Number() if slow else 2**40 + 1,
        memoryview(bytearray(8)) if slow else bytearray(8),
        "\xe9" * 20,
        b"bytes",
        [],
    ]
    echo = native("echo_int64", INT64, [INT64])
    total = native("is_null", INT32, [POINTER], BUFFER)
    length = native("length", INT64, [POINTER], STRING)
    functions = (echo, total, length)
    before = [sys.getrefcount(a) for a in arguments] + [sys.getrefcount(f) for f in functions]
    none, true = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(500):
        for function in functions:
            for argument in arguments:
                try:
                    function(argument)
                except TypeError:
                    continue
    del function, argument
    after = [sys.getrefcount(a) for a in arguments] + [sys.getrefcount(f) for f in functions]
    assert after == before
    assert abs(sys.getrefcount(None) - none) < 100
    assert abs(sys.getrefcount(True) - true) < 100


def test_binding_and_dropping(backend: Backend, library: Library) -> None:
    address, signature = library.address("add"), Signature(INT64, [INT64, INT64])
    number = iter(range(10**9))
    flat(
        lambda: backend.bind(address, Binding(signature, f"add_{next(number)}", doc="Adds."))(1, 2),
        CALLS // 40,
    )


def test_callbacks_made_and_released(native: Native) -> None:
    native.needs("callbacks")
    call = native("upcall_int64", INT64, [POINTER, INT64])
    signature = Signature(INT64, [INT64])

    def once() -> None:
        handle = native.backend.callback(lambda value: value, signature)
        assert call(handle.address, 7) == 7
        handle.release()

    for _ in range(200 if EMULATED else 11_000):  # released ones are kept in quarantine for a while
        once()
    flat(once, CALLS // 80)
