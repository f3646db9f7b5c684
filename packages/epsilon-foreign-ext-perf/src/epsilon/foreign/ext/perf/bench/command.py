"""The command line of the benchmark: ``python -m epsilon.foreign.ext.perf bench``."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from .building.cache import Cache, default_root
from .building.workshop import Workshop
from .contestant import PEERS, choose
from .effort import DEFAULT, EFFORTS, QUICK, THOROUGH, Effort
from .formats import json, markdown, svg, terminal
from .goals import judge
from .result import Report
from .run import Run
from .suite import Suite, registered

PROGRAM = "python -m epsilon.foreign.ext.perf bench"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The benchmark's options."""
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument(
        "--quick", action="store_const", const=QUICK, dest="effort", help="few, short timings"
    )
    effort.add_argument(
        "--thorough", action="store_const", const=THOROUGH, dest="effort", help="many, long ones"
    )
    parser.add_argument(
        "--only", metavar="NAMES", type=_names, default=[], help="suites or rows, comma-separated"
    )
    parser.add_argument(
        "--peers", metavar="NAMES", type=_names, help=f"of {', '.join(PEERS)}; 'ours' is all of ours"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything measured")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="write a bar chart")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the tables")
    parser.add_argument("--cache", metavar="FOLDER", type=Path, help=f"built peers; default {default_root()}")
    parser.add_argument("--seed", type=int, help="fix the order in which contestants take turns")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 when a goal is missed or cannot be judged"
    )
    parser.add_argument("--list", action="store_true", help="name suites, rows and peers, and stop")
    parser.set_defaults(effort=DEFAULT)


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def main(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Run the benchmark; the exit code. `arguments` are quoted in what the run writes."""
    if options.list:
        _list()
        return 0
    try:
        peers = choose(options.peers)
        chosen = select(options.only, options.effort)
    except ValueError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    cache = Cache(options.cache.resolve() if options.cache else None)
    report = Run(chosen, peers, Workshop(cache, options.effort), seed=options.seed)()
    terminal.show(report, sys.stdout)
    _write(report, options, shlex.join([*PROGRAM.split(), *arguments]))
    verdicts = judge(report)
    failed = not verdicts or not all(verdict.kept for verdict in verdicts)
    return 1 if options.check and failed else 0


def select(names: list[str], effort: Effort) -> list[Suite]:
    """The suites, cut down to the rows that `names` mean.

    A quick run goes through the suites that are slow to build only when they are named. Raises ValueError for
    a name that is neither a suite nor a row.
    """
    every = registered()
    known = {suite.name for suite in every} | {row for suite in every for row in _rows(suite)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"nothing is called {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    if not names and effort.name == QUICK.name:
        every = [suite for suite in every if not suite.thorough]
    return [part for suite in every if (part := suite.select(names))]


def _rows(suite: Suite) -> list[str]:
    return [each.name for each in suite.operations] + [each.name for each in suite.figures]


def _list() -> None:
    for suite in registered():
        print(f"{suite.name}: {', '.join(_rows(suite))}")
    print(f"peers: {', '.join(PEERS)}")
    print(f"modes: {', '.join(EFFORTS)}")


def _write(report: Report, options: argparse.Namespace, command: str) -> None:
    for path, text in (
        (options.json, json.render),
        (options.svg, svg.render),
        (options.markdown, lambda report: markdown.render(report, command)),
    ):
        if path is not None:
            path.write_text(text(report), encoding="utf-8")
