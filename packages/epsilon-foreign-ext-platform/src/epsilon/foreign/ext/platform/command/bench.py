"""``bench``: measure what this package promises."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..bench import SUITES, Row, rows

HELP = "measure how long things take, against goals and against others"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--only", metavar="SUITE", action="append", choices=SUITES, help=f"of {', '.join(SUITES)}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured")


def run(arguments: argparse.Namespace) -> int:
    """A table, as it is measured."""
    print(f"{'':48} {'ours':>12} {'goal':>12} {'others':>12}  ratio")
    measured = []
    for row in rows(arguments.only or SUITES, quick=arguments.quick):
        measured.append(row)
        print(_line(row))
        sys.stdout.flush()
    if arguments.json:
        arguments.json.write_text(json.dumps([row._asdict() for row in measured], indent=1), encoding="utf-8")
    missed = [row for row in measured if row.met is False]
    goals = sum(row.goal is not None for row in measured)
    print(f"{goals - len(missed)} of {goals} goals met")
    return int(arguments.check and bool(missed))


def _line(row: Row) -> str:
    line = f"{row.what:48} {_time(row.ours):>12} {'' if row.goal is None else _time(row.goal):>12}"
    if row.theirs is not None:
        line += f" {_time(row.theirs):>12}  {row.ours / row.theirs:.3f} of {row.than}"
    return f"{line.rstrip()}{'' if row.met is not False else '  missed'}"


def _time(seconds: float) -> str:
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit:
            return f"{seconds / unit:.2f} {name}"
    return f"{seconds / 1e-9:.0f} ns"
