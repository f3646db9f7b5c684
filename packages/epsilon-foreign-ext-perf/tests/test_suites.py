"""Suites: what is registered, how a run chooses among it, and that one contestant's failure stops nobody."""

from __future__ import annotations

import random

import pytest
from epsilon.foreign.ext.perf.bench import (
    BOTH,
    DEFAULT,
    PEERS,
    QUICK,
    Contestant,
    Figure,
    Gil,
    Operation,
    Run,
    Subject,
    Suite,
    UnavailableError,
    Workshop,
    choose,
    goals,
    registered,
)
from epsilon.foreign.ext.perf.bench.command import select
from epsilon.foreign.ext.perf.bench.suite import register


def set_up(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    return {"same": Subject({"f": abs, "a": -3})}


def set_up_wrongly(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    return {"same": Subject({"f": int, "a": -3})}


def set_up_nothing(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    raise UnavailableError("no such tool")


def set_up_a_crash(workshop: Workshop, contestant: Contestant) -> dict[str, Subject]:
    raise RuntimeError("broken")


def sample(workshop: Workshop, contestant: Contestant) -> dict[str, float]:
    return {"size": 100.0 + random.random()}


#: The two ways in which cffi lets C call Python.
CFFI_UPCALLS = ("cffi-callback", "cffi-extern")

SUITE = Suite(
    name="example",
    title="Example",
    operations=(Operation("same", "f(a)", "f(a)", expected=3),),
    setups={"c": set_up, "nanobind": set_up_wrongly, "cython": set_up_nothing, "ctypes": set_up_a_crash},
    figures=(Figure("size", "size", "bytes"),),
    samplers={"c": sample},
)


def test_a_run_measures_who_can_and_says_who_cannot() -> None:
    report = Run([SUITE], PEERS.values(), Workshop(effort=QUICK), seed=1)()
    timed, size = report.suites[0].rows
    assert set(timed.cells) == {Contestant(PEERS["c"], gil) for gil in BOTH}
    assert all(cell.value > 0 and cell.samples == QUICK.rounds for cell in timed.cells.values())
    assert [cell.value > 100 for cell in size.cells.values()] == [True]
    reasons = {missing.contestant: missing.reason for missing in report.missing}
    assert reasons["cython/held"] == "no such tool"
    assert reasons["ctypes/released"] == "RuntimeError: broken"
    assert "same gave -3, expected 3" in reasons["nanobind/held"]
    assert report.ours is None


def test_a_contestant_may_say_why_it_cannot_do_one_operation() -> None:
    def excused(workshop: Workshop, contestant: Contestant) -> dict[str, UnavailableError]:
        return {"same": UnavailableError("not at run time")}

    suite = Suite(name="excused", title="Excused", operations=SUITE.operations, setups={"c": excused})
    report = Run([suite], [PEERS["c"]], Workshop(effort=QUICK))()
    assert not report.suites[0].rows[0].cells
    assert {(missing.operation, missing.reason) for missing in report.missing} == {
        ("same", "not at run time")
    }


def test_an_operation_is_measured_only_with_its_treatments_of_the_lock() -> None:
    alone = Operation("alone", "f(a)", "f(a)", expected=3, gils=(Gil.UNTOUCHED,))
    both = {"same": Subject({"f": abs, "a": -3}), "alone": Subject({"f": abs, "a": -3})}
    suite = Suite(
        name="mixed",
        title="Mixed",
        operations=(*SUITE.operations, alone),
        setups={"cffi-api": lambda workshop, contestant: both},
    )
    report = Run([suite], [PEERS["cffi-api"]], Workshop(effort=QUICK))()
    gils = [[contestant.gil for contestant in row.cells] for row in report.suites[0].rows]
    assert gils == [[Gil.RELEASED], [Gil.UNTOUCHED]]
    assert not report.missing


def test_rows_can_be_selected_by_name() -> None:
    only = SUITE.select(["size"])
    assert only is not None and not only.operations and len(only.figures) == 1
    assert SUITE.select(["something else"]) is None
    assert SUITE.select(["example"]) is SUITE


def test_the_registry_refuses_a_second_suite_of_one_name() -> None:
    with pytest.raises(ValueError, match="calls"):
        register(Suite(name="calls", title="again"))


def test_every_call_that_is_promised_is_there() -> None:
    suites = {suite.name: suite for suite in registered()}
    assert {"calls", "data", "callbacks", "sqlite", "microbenchmark", "scale"} <= set(suites)
    names = [operation.name for operation in suites["calls"].operations]
    assert names == ["noop", "twice", "add", "six", "mix", "length", "identity", "crc"]
    assert all(peer in PEERS for suite in suites.values() for peer in (*suite.setups, *suite.samplers))
    assert len(goals()) > 10


def test_a_quick_run_builds_the_slow_suites_only_when_they_are_named() -> None:
    assert "microbenchmark" not in [suite.name for suite in select([], QUICK)]
    assert "microbenchmark" in [suite.name for suite in select([], DEFAULT)]
    assert [suite.name for suite in select(["microbenchmark"], QUICK)] == ["microbenchmark"]


def test_an_unknown_row_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"nothing is called frobnicate; there are .*add"):
        select(["frobnicate"], QUICK)


def test_peers_are_chosen_by_key_or_by_family() -> None:
    assert [peer.key for peer in choose(["cffi", "c"])] == ["c", "cffi-api", "cffi-abi", *CFFI_UPCALLS]
    assert all(peer.kind == "ours" for peer in choose(["ours"]))
    assert len(choose(None)) == len(PEERS)
    with pytest.raises(ValueError, match="pybind"):
        choose(["pybind"])
