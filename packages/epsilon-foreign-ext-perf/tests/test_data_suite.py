"""The rows about C data: every peer does the same work, and is compared where it can be."""

from __future__ import annotations

from typing import Any

import pytest
from epsilon.foreign.ext.perf.bench import PEERS, Contestant, Gil, Subject, UnavailableError, Workshop
from epsilon.foreign.ext.perf.bench.operation import verify
from epsilon.foreign.ext.perf.bench.suites.data import SUITE
from epsilon.foreign.ext.perf.bench.suites.data import operations as op

CONTESTANTS = [
    Contestant(PEERS[key], gil) for key in SUITE.setups for gil in SUITE.gils if PEERS[key].treats(gil)
]


def set_up(workshop: Workshop, contestant: Contestant) -> Any:
    """The contestant's subjects; skips with the reason when it cannot take part here."""
    try:
        return SUITE.setups[contestant.peer.key](workshop, contestant)
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=str)
def test_every_operation_gives_the_right_answer_with_every_peer(
    workshop: Workshop, contestant: Contestant
) -> None:
    subjects = set_up(workshop, contestant)
    for operation in SUITE.operations:
        if contestant.gil in operation.gils:
            subject = subjects[operation.name]
            if isinstance(subject, Subject):
                verify(operation, subject)
            else:
                assert contestant.peer.kind == "ours" and operation.name == "allocate"
                assert "a process has one backend" in str(subject)


def test_what_calls_nothing_is_no_comparison_of_lock_treatments() -> None:
    alone = {operation.name for operation in SUITE.operations if operation.gils == (Gil.UNTOUCHED,)}
    assert "read_int" in alone and "value8" not in alone
    assert PEERS["cffi-api"].treats(Gil.UNTOUCHED) and not PEERS["cffi-api"].treats(Gil.HELD)


def test_a_write_that_does_nothing_is_found(workshop: Workshop) -> None:
    from epsilon.foreign.ext.perf.bench.operation import WrongResultError

    subject = set_up(workshop, Contestant(PEERS["ctypes"], Gil.UNTOUCHED))["write_int"]
    operation = next(each for each in SUITE.operations if each.name == "write_int")
    with pytest.raises(WrongResultError, match="write_int"):
        verify(operation, subject._replace(statement="s.amount = value"))


def test_the_structs_have_the_sizes_that_the_rows_name() -> None:
    import ctypes

    from epsilon.foreign.ext.perf.bench.suites.data import with_ctypes

    sizes = [ctypes.sizeof(each) for each in (with_ctypes.Point, with_ctypes.Entry, with_ctypes.Block)]
    assert sizes == [8, 16, 40]


def test_one_timing_of_allocations_fills_an_arena_and_closes_it(workshop: Workshop) -> None:
    subject = set_up(workshop, Contestant(PEERS["ours-trampoline"], Gil.UNTOUCHED))["allocate"]
    if not isinstance(subject, Subject):
        pytest.skip(str(subject))
    from epsilon.foreign.api import Arena

    made: list[CountingArena] = []

    class CountingArena(Arena):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    fill = subject.names["fill"]
    # The names are the function's defaults, so that they are local variables.
    fill(Arena=CountingArena)
    assert [arena.closed for arena in made] == [True]
    assert made[0].allocated >= op.ALLOCATIONS * op.BYTES
