"""A report as JSON, with everything that was measured.

The shape: ``{"format": 1, "environment": {...}, "effort": str, "ours": key or null, "suites": [{"name",
"title", "rows": [{"name", "label", "unit", "cells": [{"peer", "gil", "median", "low", "high", "samples",
"ratio"}]}]}], "summaries": [{"suite", "peer", "gil", "geometric_mean", "median", "worst", "worst_row"}],
"goals": [{"title", "measured", "limit", "unit", "kept"}], "missing": [{"suite", "contestant", "operation",
"reason"}]}``. ``low`` and ``high`` are the quartiles; ``ratio`` is ours divided by this peer, or null.
"""

from __future__ import annotations

import json
from typing import Any

from ..contestant import PEERS, Gil
from ..goals import judge, summarise
from ..result import Report, Row, SuiteResult

FORMAT = 1


def render(report: Report) -> str:
    """The report as a JSON document ending with a newline."""
    return json.dumps(as_object(report), indent=1, ensure_ascii=False) + "\n"


def as_object(report: Report) -> dict[str, Any]:
    """The report as plain dicts, lists, strings and numbers."""
    return {
        "format": FORMAT,
        "environment": report.environment,
        "effort": report.effort,
        "ours": report.ours.key if report.ours else None,
        "suites": [_suite(report, suite) for suite in report.suites],
        "summaries": [each for suite in report.suites for each in _summaries(report, suite)],
        "goals": [{**verdict._asdict(), "kept": verdict.kept} for verdict in judge(report)],
        "missing": [missing._asdict() for missing in report.missing],
    }


def _suite(report: Report, suite: SuiteResult) -> dict[str, Any]:
    return {"name": suite.name, "title": suite.title, "rows": [_row(report, row) for row in suite.rows]}


def _row(report: Report, row: Row) -> dict[str, Any]:
    cells = [
        {
            "peer": contestant.peer.key,
            "gil": contestant.gil.value,
            "median": cell.value,
            "low": cell.low,
            "high": cell.high,
            "samples": cell.samples,
            "ratio": row.ratio(report.ours, contestant.peer, contestant.gil) if report.ours else None,
        }
        for contestant, cell in row.cells.items()
    ]
    return {"name": row.name, "label": row.label, "unit": row.unit, "cells": cells}


def _summaries(report: Report, suite: SuiteResult) -> list[dict[str, Any]]:
    found = (summarise(report, suite.name, peer, gil) for peer in PEERS.values() for gil in Gil)
    return [
        {
            "suite": suite.name,
            "peer": summary.peer.key,
            "gil": summary.gil.value,
            "geometric_mean": summary.mean,
            "median": summary.middle,
            "worst": summary.worst[1],
            "worst_row": summary.worst[0],
        }
        for summary in found
        if summary is not None and summary.peer != report.ours
    ]
