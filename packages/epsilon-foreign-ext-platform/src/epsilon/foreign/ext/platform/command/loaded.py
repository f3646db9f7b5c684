"""``loaded``: the libraries that are loaded in this Python, and those that further libraries bring."""

from __future__ import annotations

import argparse

from epsilon.foreign.api import Library

from ..loaded.libraries import loaded_libraries
from ..search.find import find_library

HELP = "list what is loaded in a Python process, with addresses and build ids"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="open this library first, and list what it brings"
    )
    parser.add_argument("-s", "--segments", action="store_true", help="show each segment")


def run(arguments: argparse.Namespace) -> int:
    """One line a library."""
    Library(None)  # which loads what backends need
    before = {library.path for library in loaded_libraries()} if arguments.names else set()
    opened = [Library(find_library(name) or name) for name in arguments.names]
    for library in loaded_libraries():
        if opened and library.path in before:
            continue
        print(f"{library.address:#014x} {library.build_id or '-':40} {library.path or library.name}")
        for segment in library.segments if arguments.segments else ():
            print(f"  {segment.address:#014x} {segment.size:>10} {segment.permissions}")
    return 0
