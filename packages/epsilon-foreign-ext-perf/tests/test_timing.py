"""The timing loop and the interleaving: what is timed is the statement, in turns, without the loop around
it."""

from __future__ import annotations

import gc
import random
import time

import pytest
from epsilon.foreign.ext.perf.bench.interleave import measure
from epsilon.foreign.ext.perf.bench.loop import CLOCK, Loop, empty
from epsilon.foreign.ext.perf.bench.operation import Operation, Subject, WrongResultError, verify


def test_the_statement_runs_once_per_unit() -> None:
    calls: list[int] = []
    loop = Loop("f(a)", {"f": calls.append, "a": 7}, unroll=5)
    loop.iterations = 4
    loop.time()
    assert calls == [7] * 20
    assert loop.units == 5


def test_each_loop_has_call_sites_of_its_own() -> None:
    first, second = Loop("f()", {"f": int}), Loop("f()", {"f": int})
    assert first._function.__code__ is not second._function.__code__


def test_calibration_reaches_the_asked_time() -> None:
    loop = Loop("f()", {"f": int})
    loop.calibrate(200_000)
    assert loop.iterations > 1
    # A quarter of what was asked for will do: other processes may have slowed the calibration.
    assert loop.time() > 50_000


def test_an_empty_loop_costs_next_to_nothing() -> None:
    samples = measure({"pass": empty()}, rounds=9, chunk=200_000, order=random.Random(0))
    assert sorted(samples["pass"])[4] < 10


def work(nanoseconds: int) -> None:
    """Keep the processor busy that long, by the clock that the benchmark uses."""
    end = CLOCK() + nanoseconds
    while CLOCK() < end:
        pass


def test_known_work_is_measured() -> None:
    loop = Loop("work(duration)", {"work": work, "duration": 2_000_000}, unroll=1)
    samples = measure({"work": loop}, rounds=5, chunk=1, order=random.Random(0))
    # The empty loop of one iteration, a few hundred nanoseconds, is subtracted.
    assert 1.99e6 <= sorted(samples["work"])[2] < 3.0e6


def test_what_other_processes_take_does_not_count() -> None:
    if CLOCK is not time.thread_time_ns:
        pytest.skip("this system has no fine clock of a thread's processor time")
    loop = Loop("sleep(duration)", {"sleep": time.sleep, "duration": 0.05}, unroll=1)
    samples = measure({"sleep": loop}, rounds=2, chunk=1, order=random.Random(0))
    assert max(samples["sleep"]) < 5e6


class OneIteration(Loop):
    """A loop that needs no calibration."""

    def calibrate(self, chunk: int) -> None:
        self.iterations = 1


def test_contestants_take_turns_in_changing_order() -> None:
    turns: list[str] = []
    loops = {
        name: OneIteration("note(name)", {"note": turns.append, "name": name}, unroll=1) for name in "abcd"
    }
    rounds = 0

    def tick() -> None:
        nonlocal rounds
        rounds += 1

    measure(loops, rounds=6, chunk=1, order=random.Random(1), tick=tick)
    orders = ["".join(turns[start : start + 4]) for start in range(0, len(turns), 4)]
    assert [sorted(order) for order in orders] == [list("abcd")] * 6
    assert len(set(orders)) > 1
    assert rounds == 6


def test_garbage_collection_is_off_while_timing_and_restored_after() -> None:
    seen: list[bool] = []
    measure(
        {"gc": Loop("note(enabled())", {"note": seen.append, "enabled": gc.isenabled}, unroll=1)},
        rounds=2,
        chunk=1,
        order=random.Random(0),
    )
    assert seen[-1] is False
    assert gc.isenabled()


def test_a_wrong_result_is_no_result() -> None:
    operation = Operation("add", "add", "f(a)", expected=3)
    verify(operation, Subject({"f": lambda a: a + 1, "a": 2}))
    with pytest.raises(WrongResultError, match="add gave 2, expected 3"):
        verify(operation, Subject({"f": lambda a: a, "a": 2}))


def test_a_subject_may_bring_its_own_statement_and_check() -> None:
    operation = Operation("read", "read a field", "s.x", expected=5)
    verify(operation, Subject({"s": [5]}, statement="s[0]"))
    verify(operation, Subject({"s": [6]}, statement="s[0]", check=lambda result: result == 6))


def test_a_statement_that_is_no_expression_is_run_and_checked_by_its_effect() -> None:
    operation, values = Operation("write", "write", "p[0] = a"), [0]
    verify(operation, Subject({"p": values, "a": 7}, check=lambda result: result is None and values == [7]))
    with pytest.raises(WrongResultError, match="write gave None"):
        verify(operation, Subject({"p": values, "a": 8}, check=lambda _: values == [7]))
