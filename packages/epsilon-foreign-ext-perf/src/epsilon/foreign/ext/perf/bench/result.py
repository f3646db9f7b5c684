"""What a run found out, as plain data that every format is written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .contestant import Contestant, Gil, Peer
from .statistics import median, quartiles


class Cell(NamedTuple):
    """One contestant's number for one row: the median, the quartiles around it, and how many samples."""

    value: float
    low: float
    high: float
    samples: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Cell:
        """Summarise samples. Raises ValueError when there are none."""
        low, high = quartiles(samples)
        return cls(median(samples), low, high, len(samples))


@dataclass
class Row:
    """One operation and every contestant's number, in `unit` ("ns", "ms", "bytes")."""

    name: str
    label: str
    unit: str = "ns"
    cells: dict[Contestant, Cell] = field(default_factory=dict)

    def ratio(self, ours: Peer, other: Peer, gil: Gil) -> float | None:
        """Ours divided by the other's, both treating the lock alike; None when either is missing."""
        mine, theirs = self.cells.get(Contestant(ours, gil)), self.cells.get(Contestant(other, gil))
        if mine is None or theirs is None or theirs.value <= 0 or mine.value <= 0:
            return None
        return mine.value / theirs.value


class Missing(NamedTuple):
    """A contestant that a suite had to leave out, in one operation or (empty `operation`) altogether."""

    suite: str
    contestant: str
    operation: str
    reason: str


@dataclass
class SuiteResult:
    """All rows of one suite. `headline` says whether the summary (geometric means, chart) is about this
    suite."""

    name: str
    title: str
    rows: list[Row]
    headline: bool = False
    note: str = ""


@dataclass
class Report:
    """A whole run. `ours` is the peer that ratios are about; None when no backend of ours works."""

    environment: dict[str, str]
    effort: str
    ours: Peer | None
    suites: list[SuiteResult] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    def suite(self, name: str) -> SuiteResult | None:
        """The result of the suite called `name`, if it ran."""
        return next((suite for suite in self.suites if suite.name == name), None)
