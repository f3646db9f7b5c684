"""A report as Markdown, for the documentation's page of measurements."""

from __future__ import annotations

from ..result import Report
from .tables import Table, missing_lines, tables


def render(report: Report, command: str) -> str:
    """The report, opening with the machine and the `command` that made it."""
    parts = [
        "| | |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in report.environment.items())
    ]
    parts.append(f"Made by `{command}` ({report.effort} effort).\n")
    parts += [_table(table) for table in tables(report)]
    left_out = missing_lines(report)
    if left_out:
        parts.append("Left out:\n\n" + "".join(f"- {line}\n" for line in left_out))
    return "\n".join(parts)


def _table(table: Table) -> str:
    lines = [f"### {table.title}", ""]
    if table.note:
        lines += [table.note, ""]
    lines.append(_line(table.header))
    lines.append("|---" + "|---:" * (len(table.header) - 1) + "|")
    lines += [_line(row) for row in table.rows]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
