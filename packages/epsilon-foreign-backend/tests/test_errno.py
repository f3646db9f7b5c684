"""Errno: zeroed before the call, read straight after it, each thread its own."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable

import pytest
from backend_support.native import Native
from epsilon.foreign.backend import DOUBLE, INT32, Guard

policies = pytest.mark.parametrize("release_gil", [True, False], ids=["releasing", "holding"])


def pair(result: object, errno: int) -> tuple[object, int]:
    return result, errno


def failing(native: Native, release_gil: bool = True) -> Callable[..., object]:
    return native(
        "fail_with", INT32, [INT32, INT32], finish=pair, capture_errno=True, release_gil=release_gil
    )


@policies
def test_finish_gets_errno(native: Native, release_gil: bool) -> None:
    fail = failing(native, release_gil)
    assert fail(2, -1) == (-1, 2)
    assert fail(2**31 - 1, 7) == (7, 2**31 - 1)
    assert fail(-5, 7) == (7, -5)
    double = native(
        "fail_with_double",
        DOUBLE,
        [INT32, DOUBLE],
        finish=pair,
        capture_errno=True,
        release_gil=release_gil,
    )
    assert double(33, -1.5) == (-1.5, 33)


@policies
def test_errno_is_zero_before_the_call(native: Native, release_gil: bool) -> None:
    entry = native("errno_on_entry", INT32, [], finish=pair, capture_errno=True, release_gil=release_gil)
    fail = failing(native, release_gil)
    for _ in range(3):
        fail(9, -1)
        assert entry() == (0, 0)


@policies
def test_python_in_between_does_not_change_it(native: Native, release_gil: bool) -> None:
    def finish(result: int, errno: int) -> tuple[int, int]:
        with pytest.raises(OSError):
            os.stat("/no/such/file")
        return result, errno

    fail = native(
        "fail_with", INT32, [INT32, INT32], finish=finish, capture_errno=True, release_gil=release_gil
    )
    assert [fail(e, 1) for e in (5, 0, 6)] == [(1, 5), (1, 0), (1, 6)]


@policies
def test_errno_without_finish_changes_nothing(native: Native, release_gil: bool) -> None:
    assert (
        native("fail_with", INT32, [INT32, INT32], capture_errno=True, release_gil=release_gil)(2, 42) == 42
    )


@policies
def test_a_guard_keeps_errno_for_when_it_is_due(native: Native, release_gil: bool) -> None:
    fail = native(
        "fail_with",
        INT32,
        [INT32, INT32],
        finish=pair,
        guard=Guard.NEGATIVE,
        capture_errno=True,
        release_gil=release_gil,
    )
    assert fail(4, 0) == 0
    assert fail(4, -1) == (-1, 4)


def test_every_thread_has_its_own(native: Native) -> None:
    fail = failing(native)
    nap = native("doze", INT32, [INT32], finish=pair, capture_errno=True)
    wrong: list[object] = []

    def work(number: int) -> None:
        for i in range(200):
            if fail(number * 1000 + i, i) != (i, number * 1000 + i):
                wrong.append((number, i))
        if nap(number) != (number, number):
            wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_errno_that_ctypes_keeps_for_programs_stays_plausible(native: Native) -> None:
    """Nothing is promised about `ctypes.get_errno` after a call, but it must go on working."""
    failing(native)(11, -1)
    ctypes.set_errno(3)
    assert ctypes.get_errno() == 3
