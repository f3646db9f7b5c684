"""The table of what discovery finds in the headers of real libraries, and the page of `docs` that keeps it."""

from __future__ import annotations

import platform
import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from epsilon.foreign.ext.discovery.ir import Enum, Function, Macro

from .catalogue import Case
from .survey import Survey

PAGE = Path(__file__).resolve().parents[2] / "docs" / "headers.md"
_START, _END = "<!-- table -->", "<!-- end of table -->"


@dataclass(frozen=True)
class Row:
    """One line; `version` is the Debian package's, or the interpreter's."""

    headers: str
    version: str
    functions: int
    structs: int
    enums: int
    macros: int
    constants: int
    bound: str
    absent: int
    inline: int
    va_list: int
    other: int
    verified: str
    seconds: str

    @property
    def cells(self) -> list[str]:
        """The texts of the columns. The last differs from run to run."""
        return [str(getattr(self, each.name)) for each in fields(self)]

    @property
    def line(self) -> str:
        """As the page has it."""
        return f"| {' | '.join(self.cells)} |"


HEAD = (
    "| headers | version | functions | structs | enums | macros | constants | bound | not exported | inline | va_list "
    "| other | layouts verified | seconds |\n|---|---|" + 12 * "---:|"
)


def row(survey: Survey) -> Row:
    """The line of one case."""
    functions, macros = survey.own(Function), survey.own(Macro)
    verification = survey.verification
    reasons = Counter(kind_of(reason) for reason in survey.reasons.values())
    return Row(
        shown(survey.case),
        version(survey.case),
        len(functions),
        len(survey.own_records),
        len(survey.own(Enum)),
        len(macros),
        sum(each.value is not None for each in macros),
        percent(survey.bound, len(functions)),
        *(reasons[kind] for kind in (*KINDS, "")),
        percent(verification.records_verified, verification.records),
        f"{survey.seconds:.2f}",
    )


#: What reasons have in them that are columns of their own.
KINDS = ("has no symbol", "static inline", "va_list")


def kind_of(reason: str) -> str:
    """The column of a reason, as a part of its text; nothing for the last one."""
    return next((kind for kind in KINDS if kind in reason), "")


def shown(case: Case) -> str:
    """The case's headers, in short."""
    first, *more = case.headers
    return f"{case.name}: `{first}`" + (f" and {len(more)} more" if more else "")


def percent(part: int, whole: int) -> str:
    """With a digit after the point where it is not all."""
    return f"{100 * part / whole:.4g} %" if whole else "none"


def version(case: Case) -> str:
    """The version of what the headers come from; empty where no package manager knows."""
    if not case.debian:
        return platform.python_version()
    done = subprocess.run(
        ["dpkg-query", "-W", "-f=${Version}", case.package],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout if done.returncode == 0 else ""


def written(rows: Iterable[Row], page: str) -> str:
    """`page` with its table replaced."""
    table = "\n".join([HEAD, *(each.line for each in rows)])
    before, _, rest = page.partition(_START)
    after = rest.partition(_END)[2]
    return f"{before}{_START}\n\n{table}\n\n{_END}{after}"


def kept(page: str) -> dict[str, list[str]]:
    """The cells of the lines of a page's table, by the first."""
    table = page.partition(_START)[2].partition(_END)[0]
    lines = re.findall(r"^\| (.*) \|$", table, re.MULTILINE)[1:]
    return {cells[0]: cells for cells in (line.split(" | ") for line in lines)}
