"""Measuring foreign calls against their peers, in one process, in turns, on the same C functions.

A run goes through *suites* of *operations* with *contestants*: peers, each with one treatment of the
interpreter's lock. Add rows with `register`.
"""

from __future__ import annotations

from .building.cache import Cache
from .building.workshop import Workshop
from .contestant import BOTH, PEERS, Contestant, Gil, Peer, UnavailableError, choose
from .effort import DEFAULT, QUICK, THOROUGH, Effort
from .goals import Goal, Summary, Verdict, goals, judge, summarise
from .operation import Operation, Subject
from .result import Cell, Missing, Report, Row, SuiteResult
from .run import Run
from .suite import Figure, Suite, register, registered

__all__ = [
    "BOTH",
    "DEFAULT",
    "PEERS",
    "QUICK",
    "THOROUGH",
    "Cache",
    "Cell",
    "Contestant",
    "Effort",
    "Figure",
    "Gil",
    "Goal",
    "Missing",
    "Operation",
    "Peer",
    "Report",
    "Row",
    "Run",
    "Subject",
    "Suite",
    "SuiteResult",
    "Summary",
    "UnavailableError",
    "Verdict",
    "Workshop",
    "choose",
    "goals",
    "judge",
    "register",
    "registered",
    "summarise",
]
