"""The command line: one file a subcommand, each with a `HELP`, an `add` for its arguments and a `run`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from epsilon.foreign.api import ForeignError

from ..__about__ import __version__

PROGRAM = "python -m epsilon.foreign.ext.platform"
#: The subcommands, in the order of the help; each is a module of this folder.
COMMANDS = ("which", "loaded", "symbols", "conventions", "error", "bench")


class Command(Protocol):
    """What a module of this folder has."""

    HELP: str

    @staticmethod
    def add(parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        ...

    @staticmethod
    def run(arguments: argparse.Namespace) -> int:
        """Do it; the result is the exit status."""
        ...


def _load(name: str) -> Command:
    return import_module(f"{__name__}.{name}")  # type: ignore[return-value]  # a module of this folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the result is the exit status: 0, 1 where something was not found, 2 for a mistake."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="What the operating system adds to foreign calls."
    )
    parser.add_argument("--version", action="version", version=f"epsilon-foreign-ext-platform {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands = {name: _load(name) for name in COMMANDS}
    for name, command in commands.items():
        command.add(subparsers.add_parser(name, help=command.HELP, description=f"{command.HELP}."))
    parsed = parser.parse_args(arguments)
    try:
        status = commands[parsed.command].run(parsed)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has had enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ForeignError, OSError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
