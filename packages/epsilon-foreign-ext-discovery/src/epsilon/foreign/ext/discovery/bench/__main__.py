"""``python -m epsilon.foreign.ext.discovery.bench``: the report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from .child import FailedError
from .measures import SQLITE, Result, Subject, measures


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a table; 1 when a limit is not kept, 2 when something cannot be measured."""
    options = _parser().parse_args(arguments)
    subject = Subject(options.header, options.library, tuple(options.include_dir))
    results = []
    try:
        with measures(subject) as found:
            for measure in found:
                results.append(measure.take(options.runs))
                if not options.json:
                    print(line(results[-1]), flush=True)
    except FailedError as error:
        print(f"cannot be measured: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([_plain(result) for result in results], indent=1))
    return int(not _all_kept(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m epsilon.foreign.ext.discovery.bench",
        description="Measure discovery: medians of fresh processes that take turns.",
    )
    parser.add_argument("--header", default=SQLITE.header, help="the header (sqlite3.h)")
    parser.add_argument("--library", default=SQLITE.library, help="its library (sqlite3)")
    parser.add_argument("-I", "--include-dir", action="append", default=[], help="a folder of headers")
    parser.add_argument("--runs", type=int, default=7, help="processes for each side of a ratio (7)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def line(result: Result) -> str:
    """One result, as the report shows it."""
    said = f"{result.title}: {_shown(result.ours, result)}"
    if result.reference:
        said += f", {result.ours / result.reference:.2f} x {_shown(result.reference, result)}"
    if result.limit is None:
        return f"        {said}"
    allowed = _shown(result.limit, result) + (f": {result.formula}" if result.formula else "")
    return f"{'kept   ' if result.kept else 'MISSED '} {said} (at most {allowed})"


def _shown(value: float, result: Result) -> str:
    return f"{value * 1000:.1f} ms" if result.unit == "s" else f"{value:.0f} {result.unit}"


def _plain(result: Result) -> dict[str, object]:
    return {**{name: getattr(result, name) for name in result.__dataclass_fields__}, "kept": result.kept}


def _all_kept(results: Iterable[Result]) -> bool:
    return all(result.kept for result in results)


if __name__ == "__main__":
    sys.exit(main())
