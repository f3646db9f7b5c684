"""Running a tool, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from epsilon.foreign.api import ForeignError

from .parser import build_parser
from .style import Style

#: The exit code when something could not be done.
FAILED = 3
#: What shells say of a program that was interrupted.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, *, program: str = "epsilon-foreign-discover") -> int:
    """Run a tool and return its exit code. Errors go to standard error, in a line or a few."""
    options = build_parser(program).parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough; Python would complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ForeignError, OSError, ValueError, ImportError) as error:
        if options.traceback:
            raise
        _complain(program, error)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _complain(program: str, error: Exception) -> None:
    style = Style(sys.stderr)
    print(f"{program}: {style('error', 'red', 'bold')}: {error}", file=sys.stderr)
