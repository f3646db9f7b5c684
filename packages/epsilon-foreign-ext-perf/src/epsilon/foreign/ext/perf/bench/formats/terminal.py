"""Tables on a terminal, or wherever standard output goes: by rich where it is installed, plain otherwise."""

from __future__ import annotations

import unicodedata
from typing import Any, TextIO

from ..result import Report
from .tables import Table, missing_lines, tables


def show(report: Report, stream: TextIO) -> None:
    """Write the whole report to `stream`."""
    environment = " · ".join(report.environment[key] for key in ("python", "system", "processor", "compiler"))
    stream.write(f"{environment}\n{report.effort} effort\n\n")
    console = _console(stream)
    for table in tables(report):
        if console is not None:
            _draw_rich(console, table)
        else:
            stream.write(draw(table) + "\n")
    for line in missing_lines(report):
        stream.write(f"{line}\n")
    if report.ours is None:
        stream.write("Epsilon Foreign itself was not measured: no ratios.\n")
    elif report.ours.backend != "trampoline":
        stream.write(f"Ratios are those of {report.ours.title}; the goals are about the trampoline.\n")


def _console(stream: TextIO) -> Any:
    """A rich console when there is a terminal for it to draw on."""
    if not stream.isatty():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream)


def _draw_rich(console: Any, table: Table) -> None:
    from rich.table import Table as RichTable

    drawn = RichTable(
        title=table.title, caption=table.note or None, title_justify="left", caption_justify="left"
    )
    for index, heading in enumerate(table.header):
        drawn.add_column(heading, justify="left" if index == 0 else "right", overflow="fold")
    for row in table.rows:
        style = "bold red" if row[-1].startswith("✗") else None
        drawn.add_row(*row, style=style)
    console.print(drawn)


def draw(table: Table) -> str:
    """A table in plain text: columns two spaces apart, a line under the header."""
    lines = [table.header, *table.rows]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(table.header))]
    drawn = [table.title]
    for number, line in enumerate(lines):
        cells = [
            _pad(text, width, left=column == 0)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        drawn.append("  ".join(cells).rstrip())
        if number == 0:
            drawn.append("─" * (sum(widths) + 2 * (len(widths) - 1)))
    if table.note:
        drawn.append(table.note)
    return "\n".join(drawn) + "\n"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pad(text: str, width: int, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text
