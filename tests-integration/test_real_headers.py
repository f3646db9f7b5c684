"""Discovery on the headers of real libraries, whole, against what gcc says of them (see `headers`).

They are about the parser, which no backend takes part in, and about the headers, which the interpreter does not
change: all of them are tried in one run of the `tests` session, the interpreter's own on every interpreter.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path
from types import ModuleType

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery.ir import Function

sys.path.insert(0, str(Path(__file__).resolve().parent))

from headers import table
from headers.catalogue import CASES, Case
from headers.gcc import compiler
from headers.survey import Survey, survey
from test_typing import Check, check  # noqa: F401  # a fixture

pytestmark = pytest.mark.skipif(
    os.environ.get("EPSILON_FOREIGN_BACKEND") not in (None, "", "ctypes"),
    reason="no backend takes part in parsing: tried in the run on ctypes",
)
#: Set by the `matrix` session, which runs on every interpreter; CI runs `tests` on one besides.
IN_MATRIX = bool(os.environ.get("EPSILON_FOREIGN_MATRIX"))
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the generated modules of this run are."""
    return tmp_path_factory.mktemp("generated")


@pytest.fixture(scope="module")
def module(found: Survey, folder: Path) -> ModuleType:
    """What is generated of a case, imported."""
    path = folder / f"bindings_of_{re.sub(r'[^a-z0-9]', '_', found.case.name.lower())}.py"
    discovery.write_module(found.binding, path, library=found.case.library)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


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


def test_everything_in_generated_source_can_be_had(found: Survey, module: ModuleType) -> None:
    refused = {}
    for name in dir(module):
        try:
            getattr(module, name)
        except ffi.SymbolNotFoundError as error:
            refused[name] = str(error)
    absent = {function.python_name or function.name for function in found.own(Function)} - set(dir(module))
    for name in absent:
        with pytest.raises(ffi.UnsupportedDeclarationError):
            getattr(module, name)
    assert len(absent) + len(refused.keys() & found.reasons.keys()) == len(found.reasons)


def test_structs_in_generated_source_have_their_size(found: Survey, module: ModuleType) -> None:
    sizes = {record.python_name or record.name: record.size for record in found.own_records if record.c_name}
    made = {name: ffi.sizeof(getattr(module, name)) for name in sizes}
    assert made == sizes


def test_generated_source_type_checks(folder: Path, check: Check) -> None:  # noqa: F811
    if IN_MATRIX:
        pytest.skip("types do not depend on the interpreter: checked in the `tests` session")
    if not any(folder.glob("*.py")):
        pytest.skip("no module was generated in this run")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\npython_version = 3.11\n", encoding="utf-8")
    # OpenSSL's are as large as all others together: checked by mypy only, which takes a tenth of pyright's time.
    (folder / "pyrightconfig.json").write_text('{"exclude": ["bindings_of_openssl*"]}', encoding="utf-8")
    done = check(folder)
    assert done.returncode == 0, done.stdout + done.stderr
