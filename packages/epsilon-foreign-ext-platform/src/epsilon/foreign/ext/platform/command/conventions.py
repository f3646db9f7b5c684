"""``conventions``: calling conventions and who can call them here."""

from __future__ import annotations

import argparse

from ..calling import conventions

HELP = "list calling conventions and the backends that call them on this machine"


def add(parser: argparse.ArgumentParser) -> None:
    """There are no arguments."""


def run(arguments: argparse.Namespace) -> int:
    """One line a convention."""
    for row in conventions():
        names = ", ".join((row.name, *row.aliases))
        able = ", ".join(row.backends) or f"not here{f': it is of {row.processor}' if row.processor else ''}"
        print(f"{names:32} {able:32} {row.summary}")
    return 0
