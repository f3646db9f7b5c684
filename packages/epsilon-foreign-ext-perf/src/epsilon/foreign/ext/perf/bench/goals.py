"""What we promise, as a table, and whether a run keeps it.

A ratio is ours divided by the other's, both treating the interpreter's lock alike, of the medians in one run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .contestant import BOTH, PEERS, Gil, Peer
from .result import Report, Row
from .statistics import geometric_mean, median


class Summary(NamedTuple):
    """Ours against one peer over the calls of one suite: `ratios` by row name, and their means."""

    peer: Peer
    gil: Gil
    ratios: dict[str, float]

    @property
    def mean(self) -> float:
        """The geometric mean over the calls."""
        return geometric_mean(self.ratios.values())

    @property
    def middle(self) -> float:
        """The median over the calls."""
        return median(self.ratios.values())

    @property
    def worst(self) -> tuple[str, float]:
        """The call with the highest ratio."""
        return max(self.ratios.items(), key=lambda item: item[1])


def summarise(report: Report, suite: str, peer: Peer, gil: Gil) -> Summary | None:
    """Ours against `peer` over the rows in which both have a number; None when there is no such row."""
    result = report.suite(suite)
    if result is None or report.ours is None:
        return None
    ratios = {row.name: row.ratio(report.ours, peer, gil) for row in result.rows if row.unit == "ns"}
    known = {name: ratio for name, ratio in ratios.items() if ratio is not None}
    return Summary(peer, gil, known) if known else None


class Goal(NamedTuple):
    """`measure` gives the number that has to be `limit` at most, or None when the run does not say."""

    title: str
    limit: float
    unit: str
    measure: Callable[[Report], float | None]


class Verdict(NamedTuple):
    """A goal and what came of it."""

    title: str
    limit: float
    unit: str
    measured: float

    @property
    def kept(self) -> bool:
        """Whether the measured number is within the limit."""
        return self.measured <= self.limit


#: How a number over the calls of a suite is made from the summary.
_STATISTICS: dict[str, Callable[[Summary], float]] = {
    "geometric mean": lambda summary: summary.mean,
    "median": lambda summary: summary.middle,
    "worst call": lambda summary: summary.worst[1],
}


def against(suite: str, peer: str, gil: Gil, statistic: str, limit: float) -> Goal:
    """A goal for the ratio to `peer` over the calls of a suite; `statistic` is "geometric mean", "median" or
    "worst call"."""

    def measured(report: Report) -> float | None:
        summary = summarise(report, suite, PEERS[peer], gil)
        return _STATISTICS[statistic](summary) if summary else None

    return Goal(f"{PEERS[peer].title}, lock {gil.value}, {statistic}", limit, "ratio", measured)


def figure(suite: str, row: str, limit: float) -> Goal:
    """A goal for one number of our own."""
    title = unit = ""
    from .suite import registered

    for each in registered():
        if each.name == suite:
            title, unit = next((figure.label, figure.unit) for figure in each.figures if figure.name == row)

    def measured(report: Report) -> float | None:
        found = _find(report, suite, row)
        cells = found.cells.items() if found else ()
        return next((cell.value for contestant, cell in cells if contestant.peer == report.ours), None)

    return Goal(title, limit, unit, measured)


def one(suite: str, row: str, peers: tuple[str, ...], gil: Gil, limit: float) -> Goal:
    """A goal for one operation: the ratio to the fastest of `peers` that were measured."""
    from .suite import registered

    label = next(op.label for s in registered() if s.name == suite for op in s.operations if op.name == row)

    def measured(report: Report) -> float | None:
        found = _find(report, suite, row)
        if found is None or report.ours is None:
            return None
        ratios = (found.ratio(report.ours, PEERS[peer], gil) for peer in peers)
        # The fastest peer is the one that the ratio to is highest.
        return max((ratio for ratio in ratios if ratio is not None), default=None)

    treatment = "" if gil is Gil.UNTOUCHED else f", lock {gil.value}"
    return Goal(f"{label}{treatment}, {_fastest(peers)}", limit, "ratio", measured)


def _fastest(peers: tuple[str, ...]) -> str:
    families = dict.fromkeys(PEERS[peer].title.partition(" ")[0] for peer in peers)
    return PEERS[peers[0]].title if len(peers) == 1 else f"the faster of {' and '.join(families)}"


def _find(report: Report, suite: str, row: str) -> Row | None:
    result = report.suite(suite)
    return next((r for r in result.rows if r.name == row), None) if result else None


#: Whoever is the fastest of these counts: both of cffi's modes, since they differ in calls.
_ESTABLISHED = ("ctypes", "cffi-api", "cffi-abi")

#: Goals for single operations: suite, rows, treatments of the lock, peers, limit.
_SINGLE: tuple[tuple[str, tuple[str, ...], tuple[Gil, ...], tuple[str, ...], float], ...] = (
    ("data", ("read_int", "write_int", "read_double", "write_double"), (Gil.UNTOUCHED,), _ESTABLISHED, 1.0),
    ("data", ("create",), (Gil.UNTOUCHED,), _ESTABLISHED, 1.0),
    ("data", ("item", "set_item", "element", "set_element"), (Gil.UNTOUCHED,), _ESTABLISHED, 1.1),
    ("data", ("allocate",), (Gil.UNTOUCHED,), _ESTABLISHED, 2.0),
    ("data", ("value8", "value16", "value40"), (Gil.RELEASED,), _ESTABLISHED, 0.7),
    # cffi cannot hold the lock.
    ("data", ("value8", "value16", "value40"), (Gil.HELD,), ("ctypes",), 0.7),
    ("data", ("lend", "point"), (Gil.RELEASED,), ("cffi-api",), 0.9),
    ("data", ("lend", "point"), (Gil.RELEASED,), ("ctypes",), 0.3),
    ("callbacks", ("loop",), (Gil.RELEASED,), ("ctypes",), 0.75),
    ("callbacks", ("loop",), (Gil.HELD,), ("ctypes",), 0.65),
    ("callbacks", ("loop",), (Gil.RELEASED,), ("cffi-callback",), 0.4),
    ("callbacks", ("loop",), (Gil.RELEASED,), ("cffi-extern",), 0.4),
    ("callbacks", ("loop",), BOTH, ("c",), 1.1),
    ("callbacks", ("qsort",), (Gil.RELEASED,), ("ctypes",), 0.7),
    ("callbacks", ("qsort",), (Gil.RELEASED,), ("cffi-callback",), 0.3),
    ("callbacks", ("qsort",), (Gil.RELEASED,), ("cffi-extern",), 0.5),
    ("callbacks", ("qsort",), BOTH, ("c",), 1.1),
    ("callbacks", ("new_callback",), (Gil.UNTOUCHED,), ("ctypes",), 1.0),
)


def goals() -> list[Goal]:
    """Everything promised about calls, binding, data and callbacks."""
    promised: list[Goal] = []
    for gil in BOTH:
        promised.append(against("calls", "c", gil, "geometric mean", 1.0))
        promised.append(against("calls", "c", gil, "worst call", 1.25))
        promised.append(against("calls", "nanobind", gil, "geometric mean", 1.0))
        promised.append(against("calls", "cython", gil, "geometric mean", 1.0))
    promised += [
        against("calls", "cffi-api", Gil.RELEASED, "median", 0.6),
        against("calls", "ctypes", Gil.RELEASED, "median", 0.2),
        # The api returns the backend's own function, so anything beyond noise between the two is a defect.
        against("calls", "layer-trampoline", Gil.HELD, "geometric mean", 1.05),
        against("calls", "layer-trampoline", Gil.RELEASED, "geometric mean", 1.05),
        figure("scale", "bind", 100.0),
        figure("scale", "code", 512 * 1024),
        figure("scale", "first", 1000.0),
    ]
    promised += [
        one(suite, row, peers, gil, limit)
        for suite, rows, gils, peers, limit in _SINGLE
        for row in rows
        for gil in gils
    ]
    return promised


def judge(report: Report) -> list[Verdict]:
    """The goals that this run says something about. They are about the trampoline: nothing else is judged."""
    if report.ours is None or report.ours.backend != "trampoline":
        return []
    measured = ((goal, goal.measure(report)) for goal in goals())
    return [
        Verdict(goal.title, goal.limit, goal.unit, value) for goal, value in measured if value is not None
    ]
