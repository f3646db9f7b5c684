"""``which NAME``: the path of a library, or why there is none."""

from __future__ import annotations

import argparse
import sys

from ..search.find import explain_search

HELP = "print the path of the library that opening NAME would load"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="m, libm.so.6, or a path")
    parser.add_argument(
        "-e", "--explain", action="store_true", help="show where it was looked for, found or not"
    )
    parser.add_argument(
        "--caller", metavar="LIBRARY", help="look in the name of this library, whose RUNPATH counts"
    )


def run(arguments: argparse.Namespace) -> int:
    """Paths go to the standard output; what is not found is explained on the standard error."""
    missing = 0
    for name in arguments.names:
        explanation = explain_search(name, caller=arguments.caller)
        if explanation.path is None:
            missing += 1
            print(explanation, file=sys.stderr)
        else:
            print(explanation if arguments.explain else explanation.path)
    return int(bool(missing))
