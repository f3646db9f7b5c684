"""``symbols LIBRARY``: what a library exports."""

from __future__ import annotations

import argparse

from ..loaded.exports import exported_symbols

HELP = "list the symbols that a library exports, with kinds and versions"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("library", metavar="LIBRARY", help="m, libm.so.6, or a path")
    parser.add_argument(
        "-g", "--grep", default="", metavar="TEXT", help="only those whose name contains this"
    )
    parser.add_argument(
        "-k", "--kind", choices=("function", "data", "thread-local", "untyped"), help="only these"
    )


def run(arguments: argparse.Namespace) -> int:
    """One line a symbol; 1 when there was none."""
    found = [
        symbol
        for symbol in exported_symbols(arguments.library)
        if arguments.grep in symbol.name and arguments.kind in (None, symbol.kind)
    ]
    for symbol in sorted(found):
        print(f"{symbol.address:#018x} {symbol.size:>8} {symbol.kind:12} {symbol.binding:6} {symbol}")
    return int(not found)
