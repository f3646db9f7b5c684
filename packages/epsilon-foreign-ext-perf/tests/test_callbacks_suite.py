"""The rows about callbacks: the same function is called by all, as often, with the same numbers."""

from __future__ import annotations

from typing import Any

import pytest
from epsilon.foreign.ext.perf.bench import PEERS, Contestant, Gil, Subject, UnavailableError, Workshop
from epsilon.foreign.ext.perf.bench.operation import verify
from epsilon.foreign.ext.perf.bench.suites.callbacks import SUITE, setups
from epsilon.foreign.ext.perf.bench.suites.callbacks import operations as op

CONTESTANTS = [
    Contestant(PEERS[key], gil) for key in SUITE.setups for gil in SUITE.gils if PEERS[key].treats(gil)
]
#: Who makes nothing at run time, or not on its own backend.
EXCUSED = {"c", "cffi-extern", "ours-libffi", "ours-ctypes"}


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
                assert operation.name == "new_callback" and contestant.peer.key in EXCUSED


def test_the_numbers_are_sorted_by_the_python_function(workshop: Workshop) -> None:
    subject = set_up(workshop, Contestant(PEERS["ctypes"], Gil.RELEASED))["qsort"]
    assert subject.inner == setups.comparisons(setups.target(workshop)) > op.COUNT
    assert subject.check(op.checksum()) and not subject.check(op.checksum() + 1)


def test_each_contestant_has_functions_of_its_own() -> None:
    one, other = op.functions(), op.functions()
    assert one[0].__code__ is not other[0].__code__
    assert one[0](1) == 2 and one[1]([5], [3]) == 2


def _handwritten(workshop: Workshop, gil: Gil) -> Any:
    return set_up(workshop, Contestant(PEERS["c"], gil))


@pytest.mark.parametrize("gil", [Gil.HELD, Gil.RELEASED])
@pytest.mark.parametrize(
    ("function", "error"),
    [(lambda x: 1 // (x - 5), ZeroDivisionError), (lambda x: 2**40, OverflowError), (str, TypeError)],
)
def test_the_hand_written_peer_raises_what_the_function_raises(
    workshop: Workshop, gil: Gil, function: Any, error: type[Exception]
) -> None:
    run = _handwritten(workshop, gil)["loop"].names["run"]
    with pytest.raises(error):
        run(function, 100)
    assert run(abs, 4) == 6


@pytest.mark.parametrize("gil", [Gil.HELD, Gil.RELEASED])
def test_the_hand_written_peer_checks_the_bounds_of_its_pointers(workshop: Workshop, gil: Gil) -> None:
    run = _handwritten(workshop, gil)["qsort"].names["run"]
    calls = []

    def compare(a: Any, b: Any) -> Any:
        calls.append((a, b))
        return a[1] - b[0]

    with pytest.raises(IndexError):
        run(compare)
    assert len(calls) == 1
