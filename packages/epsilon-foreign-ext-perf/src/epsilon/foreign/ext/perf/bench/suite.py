"""A suite: rows that belong together, and what each peer needs to take part in them.

A suite has *operations*, which are timed in turns within this process, and *figures*, which are numbers of
their own (bytes, or something that happens once in a process) that a sampler supplies, once per round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .building.workshop import Workshop
from .contestant import Contestant, Gil, UnavailableError
from .operation import Operation, Subject

#: Prepares a contestant: a subject for each operation that it can do, or the reason why it cannot. Raises
#: UnavailableError when it can do none.
Setup = Callable[[Workshop, Contestant], Mapping[str, Subject | UnavailableError]]
#: One sample of each figure that the contestant has. Raises UnavailableError.
Sampler = Callable[[Workshop, Contestant], Mapping[str, float]]


class Figure(NamedTuple):
    """A row that is not timed in a loop; `unit` is "ns", "us", "ms", "s" or "bytes"."""

    name: str
    label: str
    unit: str


@dataclass(frozen=True)
class Suite:
    """Setups and samplers are keyed by peer; a peer without one does not take part and nobody misses it.

    `headline`: the summary and the chart are about this suite. `thorough`: too slow to set up for
    ``--quick``, where it runs only when it is asked for by name.
    """

    name: str
    title: str
    operations: tuple[Operation, ...] = ()
    setups: Mapping[str, Setup] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    samplers: Mapping[str, Sampler] = field(default_factory=dict)
    headline: bool = False
    thorough: bool = False
    note: str = ""

    @property
    def gils(self) -> list[Gil]:
        """The treatments of the lock that its operations are measured with."""
        return [gil for gil in Gil if any(gil in operation.gils for operation in self.operations)]

    def select(self, names: list[str]) -> Suite | None:
        """This suite with only the rows that `names` mean; None when there are none. No names mean
        everything."""
        if not names or self.name in names:
            return self
        operations = tuple(each for each in self.operations if each.name in names)
        figures = tuple(each for each in self.figures if each.name in names)
        if not operations and not figures:
            return None
        return replace(self, operations=operations, figures=figures)


_registry: dict[str, Suite] = {}


def register(suite: Suite) -> Suite:
    """Add a suite to those that a run goes through. Raises ValueError when the name is taken."""
    if suite.name in _registry:
        raise ValueError(f"a suite named {suite.name!r} is registered already")
    _registry[suite.name] = suite
    return suite


def registered() -> list[Suite]:
    """Every registered suite, in order of registration; the built-in ones register on first use."""
    from . import suites as built_in  # noqa: F401  (importing it registers them)

    return list(_registry.values())
