"""Discovery on the headers of real libraries, whole, against what gcc says of them (see `headers`).

They are about the parser, which no backend takes part in, and about the headers, which the interpreter does not
change: all of them are tried in one run of the `tests` session, the interpreter's own on every interpreter.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from epsilon.foreign.ext.discovery.ir import Function

sys.path.insert(0, str(Path(__file__).resolve().parent))

from headers import table
from headers.catalogue import CASES, Case
from headers.gcc import compiler
from headers.survey import Survey, survey

pytestmark = pytest.mark.skipif(
    os.environ.get("EPSILON_FOREIGN_BACKEND") not in (None, "", "ctypes"),
    reason="no backend takes part in parsing: tried in the run on ctypes",
)
#: Set by the `matrix` session, which runs on every interpreter; CI runs `tests` on one besides.
IN_MATRIX = bool(os.environ.get("EPSILON_FOREIGN_RESULTS"))
#: What is tried on every interpreter: a small one, a large one, and its own headers, which no other has.
EVERYWHERE = ("zlib", "sqlite3", "Python.h")


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def found(request: pytest.FixtureRequest) -> Survey:
    case: Case = request.param
    if IN_MATRIX and case.name not in EVERYWHERE:
        pytest.skip(
            f"{case.name}: in the matrix only {', '.join(EVERYWHERE)}; the rest in the `tests` session"
        )
    if case.missing:
        pytest.skip(f"{case.name}: {case.missing}")
    if not compiler.exists():
        pytest.skip(f"{case.name}: no gcc to compare with")
    return survey(case)


def test_every_declaration_that_gcc_sees_is_found(found: Survey) -> None:
    assert not found.differences, "\n".join(found.differences[:40])


def test_every_function_is_bound_or_says_why_not(found: Survey) -> None:
    assert all(found.reasons.values())
    assert found.bound + len(found.reasons) == len(found.own(Function))


def test_every_layout_is_verified_by_the_compiler(found: Survey) -> None:
    assert found.verification.ok and not found.verification.unchecked
    assert found.verification.records_verified == found.verification.records >= len(found.own_records)


def test_the_page_of_the_docs_has_these_numbers(found: Survey) -> None:
    row = table.row(found)
    cells = table.kept(table.PAGE.read_text(encoding="utf-8")).get(row.headers)
    assert cells, f"docs/{table.PAGE.name} has no line for {row.headers}: make it again"
    if cells[1] != row.version:
        pytest.skip(
            f"{row.headers}: the page is about version {cells[1]}, installed is {row.version or 'unknown'}"
        )
    assert cells[:-1] == row.cells[:-1]
