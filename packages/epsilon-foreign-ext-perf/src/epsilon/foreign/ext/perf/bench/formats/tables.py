"""A report as tables of text, which the terminal and Markdown draw each in their way."""

from __future__ import annotations

from typing import NamedTuple

from ..contestant import PEERS, Contestant, Gil, Peer
from ..goals import Verdict, judge, summarise
from ..result import Report, Row, SuiteResult


class Table(NamedTuple):
    """A title, a header, and rows of as many cells as the header has. The first column is text, the rest
    numbers."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str = ""


NOTHING = "-"
#: What a table's title says of the lock, after the suite's.
_GIL_TITLE = {
    Gil.UNTOUCHED: "",
    Gil.HELD: ", the lock held during the call",
    Gil.RELEASED: ", the lock released during the call",
}


def tables(report: Report) -> list[Table]:
    """Every table of the report: one per suite and treatment of the lock, one for figures, one for the
    goals."""
    made = []
    for suite in report.suites:
        timed = [table for gil in Gil if (table := _timed(report, suite, gil))]
        # What there is to say about a suite is said once.
        made += [
            table._replace(note=f"{suite.note} {table.note}".strip()) if table is timed[0] else table
            for table in timed
        ]
        if table := _figures(report, suite):
            made.append(table)
    if table := _verdicts(judge(report)):
        made.append(table)
    return made


def _timed(report: Report, suite: SuiteResult, gil: Gil) -> Table | None:
    rows = [row for row in suite.rows if row.unit == "ns" and any(c.gil is gil for c in row.cells)]
    peers = _peers(rows, gil)
    if not peers:
        return None
    lines = [(row.label, *(_cell(row, Contestant(peer, gil), report.ours) for peer in peers)) for row in rows]
    if len(rows) > 1 and report.ours is not None:
        lines.append(("geometric mean", *(_mean(report, suite.name, peer, gil) for peer in peers)))
    header = ("", *(peer.title for peer in peers))
    note = f"In brackets: {report.ours.title} divided by that." if report.ours is not None else ""
    return Table(f"{suite.title}{_GIL_TITLE[gil]}", header, lines, note)


def _peers(rows: list[Row], gil: Gil | None) -> list[Peer]:
    present = {c.peer.key for row in rows for c in row.cells if gil is None or c.gil is gil}
    return [peer for key, peer in PEERS.items() if key in present]


def _cell(row: Row, contestant: Contestant, ours: Peer | None) -> str:
    cell = row.cells.get(contestant)
    if cell is None:
        return NOTHING
    text = quantity(cell.value, row.unit, bare=row.unit == "ns")
    ratio = row.ratio(ours, contestant.peer, contestant.gil) if ours is not None else None
    if ratio is None or contestant.peer == ours:
        return text
    return f"{text} ({ratio:.2f})"


def _mean(report: Report, suite: str, peer: Peer, gil: Gil) -> str:
    summary = summarise(report, suite, peer, gil)
    if summary is None or peer == report.ours:
        return ""
    return f"({summary.mean:.2f})"


def _figures(report: Report, suite: SuiteResult) -> Table | None:
    rows = [row for row in suite.rows if row.unit != "ns" and row.cells]
    peers = _peers(rows, None)
    if not peers:
        return None
    lines = [
        (row.label, *(_cell(row, Contestant(peer, Gil.RELEASED), report.ours) for peer in peers))
        for row in rows
    ]
    return Table(f"{suite.title}, figures", ("", *(peer.title for peer in peers)), lines)


def _verdicts(verdicts: list[Verdict]) -> Table | None:
    if not verdicts:
        return None
    lines: list[tuple[str, ...]] = [
        (each.title, _amount(each.measured, each.unit), _amount(each.limit, each.unit), mark(each))
        for each in verdicts
    ]
    return Table("Goals", ("", "measured", "at most", ""), lines)


def mark(verdict: Verdict) -> str:
    """A sign for a goal that is kept or missed, told apart by more than colour."""
    return "✓" if verdict.kept else "✗ missed"


def _amount(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit == "ratio" else quantity(value, unit)


def quantity(value: float, unit: str, bare: bool = False) -> str:
    """A number with three significant digits or so, in a unit that suits it: ``512 KiB``, ``1.53 ms``."""
    if unit == "bytes":
        return f"{value / 1024:.1f} KiB" if value >= 1024 else f"{value:.0f} B"
    text = f"{value:.1f}" if value < 100 else f"{value:.0f}"
    return text if bare else f"{text} {'µs' if unit == 'us' else unit}"


def missing_lines(report: Report) -> list[str]:
    """Who was left out and why, one line for every reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for each in report.missing:
        where = f"{each.suite}/{each.operation}" if each.operation else each.suite
        grouped.setdefault((each.contestant.partition("/")[0], each.reason), []).append(where)
    return [
        f"{_title(key)}: {reason} (left out of {', '.join(dict.fromkeys(places))})"
        for (key, reason), places in grouped.items()
    ]


def _title(key: str) -> str:
    return PEERS[key].title if key in PEERS else key
