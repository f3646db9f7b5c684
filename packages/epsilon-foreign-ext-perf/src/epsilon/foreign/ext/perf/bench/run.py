"""A run: every chosen suite with every chosen peer, and a report of what was measured and who was left
out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from . import environment
from .building.workshop import Workshop
from .contestant import PEERS, Contestant, Gil, Peer, UnavailableError
from .effort import Effort
from .interleave import measure
from .loop import Loop
from .operation import Operation, Subject, verify
from .progress import Progress
from .result import Cell, Missing, Report, Row, SuiteResult
from .suite import Sampler, Suite

Prepared = TypeVar("Prepared")
#: What each contestant brings to each operation, or why it brings nothing.
Subjects = Mapping[Contestant, Mapping[str, Subject | UnavailableError]]


class Run:
    """Everything that the steps of one run share. `seed` fixes the order in which contestants take turns."""

    def __init__(
        self,
        suites: Sequence[Suite],
        peers: Iterable[Peer],
        workshop: Workshop,
        progress: Progress | None = None,
        seed: int | None = None,
    ) -> None:
        self.suites = suites
        self.peers = list(peers)
        self.workshop = workshop
        self.effort: Effort = workshop.effort
        self.progress = progress or Progress()
        self.order = random.Random(seed)
        self.report = Report(environment.describe(), self.effort.name, ours=None)

    def __call__(self) -> Report:
        """Measure everything. What one contestant cannot do is noted in the report and stops nobody else."""
        self.progress.start(sum(self._steps(suite) for suite in self.suites))
        try:
            for suite in self.suites:
                self.report.suites.append(self._suite(suite))
        finally:
            self.progress.finish()
        self.report.ours = _best_of_ours(self.report)
        return self.report

    def _steps(self, suite: Suite) -> int:
        figures = self.effort.processes if suite.figures else 0
        return sum(self._rounds(operation) for operation in suite.operations) + figures

    def _rounds(self, operation: Operation) -> int:
        return min(self.effort.rounds, operation.rounds or self.effort.rounds)

    def _suite(self, suite: Suite) -> SuiteResult:
        result = SuiteResult(suite.name, suite.title, [], suite.headline, suite.note)
        if suite.operations:
            subjects = self._set_up(suite)
            result.rows += [self._operation(suite, each, subjects) for each in suite.operations]
        if suite.figures:
            result.rows += self._figures(suite)
        return result

    def _contestants(self, suite: Suite, keys: Iterable[str], gils: Iterable[Gil]) -> list[Contestant]:
        known = set(keys)
        peers = [peer for peer in self.peers if peer.key in known]
        return [Contestant(peer, gil) for peer in peers for gil in gils if peer.treats(gil)]

    def _set_up(self, suite: Suite) -> Subjects:
        subjects: dict[Contestant, Mapping[str, Subject | UnavailableError]] = {}
        for contestant in self._contestants(suite, suite.setups, suite.gils):
            self.progress.say(f"{suite.title}: preparing {contestant.peer.title}")
            setup = suite.setups[contestant.peer.key]
            made = self._attempt(suite, contestant, "", partial(setup, self.workshop, contestant))
            if made is not None:
                subjects[contestant] = made
        return subjects

    def _attempt(
        self, suite: Suite, contestant: Contestant, operation: str, action: Callable[[], Prepared]
    ) -> Prepared | None:
        """Do it; when it fails, whatever the reason, note that and go on: one peer must not stop the
        others."""
        try:
            return action()
        except UnavailableError as error:
            reason = str(error)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        missing = Missing(suite.name, str(contestant), operation, reason)
        if missing not in self.report.missing:
            self.report.missing.append(missing)
        return None

    def _operation(self, suite: Suite, operation: Operation, subjects: Subjects) -> Row:
        loops: dict[Contestant, Loop] = {}
        for contestant, known in subjects.items():
            if contestant.gil in operation.gils:
                subject = known.get(operation.name, UnavailableError("does not support this call"))
                loop = self._attempt(suite, contestant, operation.name, partial(_prepare, operation, subject))
                if loop is not None:
                    loops[contestant] = loop
        self.progress.say(f"{suite.title}: {operation.label}")
        samples = measure(loops, self._rounds(operation), self.effort.chunk, self.order, self.progress.step)
        cells = {contestant: Cell.of(values) for contestant, values in samples.items()}
        return Row(operation.name, operation.label, "ns", cells)

    def _figures(self, suite: Suite) -> list[Row]:
        contestants = self._contestants(suite, suite.samplers, (Gil.RELEASED,))
        samples: dict[str, dict[Contestant, list[float]]] = {figure.name: {} for figure in suite.figures}
        for _ in range(self.effort.processes):
            self.order.shuffle(contestants)
            for contestant in list(contestants):
                self.progress.say(f"{suite.title}: {contestant.peer.title}")
                sampler = suite.samplers[contestant.peer.key]
                if not self._sample(suite, contestant, sampler, samples):
                    contestants.remove(contestant)
            self.progress.step()
        return [
            Row(
                figure.name,
                figure.label,
                figure.unit,
                {c: Cell.of(v) for c, v in _ordered(samples[figure.name])},
            )
            for figure in suite.figures
        ]

    def _sample(
        self,
        suite: Suite,
        contestant: Contestant,
        sampler: Sampler,
        samples: dict[str, dict[Contestant, list[float]]],
    ) -> bool:
        found = self._attempt(suite, contestant, "", partial(sampler, self.workshop, contestant))
        for name, value in (found or {}).items():
            if name in samples:
                samples[name].setdefault(contestant, []).append(value)
        return found is not None


def _prepare(operation: Operation, subject: Subject | UnavailableError) -> Loop:
    if isinstance(subject, UnavailableError):
        raise subject
    verify(operation, subject)
    statement = subject.statement or operation.statement
    return Loop(statement, subject.names, operation.unroll, subject.inner or operation.inner)


def _ordered(samples: Mapping[Contestant, list[float]]) -> list[tuple[Contestant, list[float]]]:
    keys = list(PEERS)
    return sorted(samples.items(), key=lambda item: keys.index(item[0].peer.key))


def _best_of_ours(report: Report) -> Peer | None:
    """The first of our own peers that measured anything: the one a user gets by default."""
    for peer in PEERS.values():
        if peer.kind == "ours" and any(
            contestant.peer == peer
            for suite in report.suites
            for row in suite.rows
            for contestant in row.cells
        ):
            return peer
    return None
