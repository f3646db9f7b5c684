"""``error CODE``: what a number means that a foreign function left."""

from __future__ import annotations

import argparse
import errno
import sys

from .. import windows_errors
from ..system_errors import ErrorCode

HELP = "say what an error code means: a number, or a name such as ENOENT"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("code", metavar="CODE", help="2, ENOENT, 0x5, ERROR_ACCESS_DENIED")
    parser.add_argument("-w", "--windows", action="store_true", help="the number is of GetLastError")


def run(arguments: argparse.Namespace) -> int:
    """Print name, number, words, and Python's exception."""
    error = _read(arguments.code, "windows" if arguments.windows else "errno")
    if error is None:
        print(f"{arguments.code!r} is no error code", file=sys.stderr)
        return 1
    print(error)
    if error:
        print(f"  raised as {error.exception_class.__name__}")
    return 0


def _read(text: str, kind: str) -> ErrorCode | None:
    try:
        return ErrorCode(int(text, 0), kind)
    except ValueError:
        pass
    code = getattr(errno, text, None) if text.startswith("E") else None
    if isinstance(code, int) and not text.startswith("ERROR_"):
        return ErrorCode(code)
    found = windows_errors.code_of(text)
    return None if found is None else ErrorCode(found, "windows")
