"""The command that makes the table: ``python tests-integration/headers``; ``--write`` puts it into `docs`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

# The folder's parent, in place of the folder itself that running it as a script puts there.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from epsilon.foreign.ext import discovery  # noqa: E402

from headers import table  # noqa: E402
from headers.catalogue import CASES  # noqa: E402
from headers.survey import survey  # noqa: E402


def main() -> int:
    """Survey the cases that are installed; exits with 1 when gcc sees something differently."""
    parser = argparse.ArgumentParser(
        prog="headers", description="Discovery on the headers of real libraries."
    )
    parser.add_argument("only", nargs="*", help="names of cases, such as zlib; all by default")
    parser.add_argument("--write", action="store_true", help=f"put the table into {table.PAGE.name}")
    parser.add_argument("--reasons", action="store_true", help="say why functions are not bound")
    arguments = parser.parse_args()
    rows, differences = [], 0
    discovery.parse_text("int loaded(void);")  # so that the first case does not pay for loading libclang
    for case in CASES:
        if arguments.only and case.name not in arguments.only:
            continue
        if case.missing:
            print(f"{case.name}: {case.missing}", file=sys.stderr)
            continue
        found = survey(case)
        rows.append(table.row(found))
        print(rows[-1].line, flush=True)
        said = [*found.differences, *map(str, found.verification.mismatches)]
        said += [f"not verified: {each.what}: {each.reason}" for each in found.verification.unchecked]
        differences += len(said)
        for difference in said:
            print(f"    {difference}")
        if arguments.reasons:
            for reason, count in Counter(found.reasons.values()).most_common():
                print(f"    {count} x {reason}")
    if arguments.write:
        table.PAGE.write_text(table.written(rows, table.PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
