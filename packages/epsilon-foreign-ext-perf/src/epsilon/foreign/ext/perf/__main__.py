"""The command line: ``python -m epsilon.foreign.ext.perf TOOL``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .bench import command as bench


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a tool and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m epsilon.foreign.ext.perf", description=__doc__)
    tools = parser.add_subparsers(dest="tool", required=True)
    bench.add_options(tools.add_parser("bench", help="measure foreign calls against their peers"))
    options = parser.parse_args(given)
    return bench.main(options, given[1:])


if __name__ == "__main__":
    sys.exit(main())
