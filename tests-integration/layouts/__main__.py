"""The command line of the comparison; exits with 1 when a declaration is laid out differently from C."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

# The folder's parent, in place of the folder itself that running it as a script puts there.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from layouts.comparison import compare  # noqa: E402
from layouts.target import RULES, Target  # noqa: E402


def main() -> int:
    """Draw, compile, compare; print each difference as a minimal declaration."""
    parser = argparse.ArgumentParser(
        prog="layouts", description="Compare random layouts with a C compiler's."
    )
    parser.add_argument("--count", type=int, default=5000, help="how many declarations (5000)")
    parser.add_argument("--seed", type=int, default=None, help="the first seed (random)")
    parser.add_argument(
        "--cc", default=os.environ.get("CC") or "cc", help="the compiler's command ($CC, or cc)"
    )
    parser.add_argument("--run", default="", help="what runs its programs, such as an emulator")
    parser.add_argument("--rules", choices=sorted(RULES), default=None, help="another target's rules")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(3))
    target = Target(tuple(shlex.split(arguments.cc)), tuple(shlex.split(arguments.run)), arguments.rules)
    began = time.monotonic()
    result = compare(arguments.count, seed, target)
    for difference in result.differences:
        print(difference, end="\n\n")
    print(
        f"{result.types} types, {result.fields} fields written by C, {len(result.differences)} differences; "
        f"seed {seed}, {time.monotonic() - began:.0f} s, {arguments.cc}"
    )
    return 1 if result.differences or not result.types else 0


if __name__ == "__main__":
    sys.exit(main())
