"""What can be seen of the process's stubs: `disassemble`, `statistics`, `enable_perf_map`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import (
    COMPLEX_DOUBLE,
    INT64,
    BackendUnavailableError,
    Binding,
    Signature,
    UnsupportedSignatureError,
    Upcall,
    get_backend,
    trampoline,
)

ADD = Signature(INT64, [INT64, INT64])


@pytest.fixture
def add(library: Library) -> Any:
    return get_backend("trampoline").bind(library.address("add"), Binding(ADD, "add", release_gil=False))


def test_importing_the_package_makes_nothing() -> None:
    code = (
        "import sys, epsilon.foreign.backend.trampoline as t\n"
        "print([m for m in sys.modules if m.startswith(t.__name__ + '.')], dir(t).count('create'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["[]", "1"]


def test_a_functions_stub_is_listed(add: Any) -> None:
    pytest.importorskip("capstone")
    listing = trampoline.disassemble(add)
    assert listing.startswith("; int64(int64,int64): ")
    for name in ("PyLong_Type", "PyLong_FromLong", "PyObject_Vectorcall", "as_int64", "pending.count"):
        assert name in listing
    assert "PyEval_SaveThread" not in listing


def test_bindings_and_signatures_are_listed_as_they_would_be_bound() -> None:
    pytest.importorskip("capstone")
    assert trampoline.disassemble(Binding(ADD, release_gil=False)).count("PyEval_SaveThread") == 0
    assert "PyEval_SaveThread" in trampoline.disassemble(ADD)


def test_the_trusted_stub_uses_the_c_api_alone(add: Any) -> None:
    pytest.importorskip("capstone")
    listing = trampoline.disassemble(add, "trusted")
    assert "[trusted]" in listing.partition("\n")[0]
    assert "PyLong_AsLongLong" in listing
    assert "PyLong_Type" not in listing


def test_the_stub_that_c_calls_is_listed_for_signatures_upcalls_and_callbacks() -> None:
    pytest.importorskip("capstone")
    callback = get_backend("trampoline").callback(lambda a, b: a, ADD)
    listings = [trampoline.disassemble(ADD, "upcall")]
    listings += [trampoline.disassemble(what) for what in (Upcall(ADD), callback)]
    assert listings[0] == listings[1] == listings[2]
    assert "PyGILState_Ensure" in listings[0]


def test_without_capstone_the_bytes_are_shown(add: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    listing = trampoline.disassemble(add)
    assert "pip install capstone" in listing
    assert "PyLong_Type" in listing  # constants need no disassembler


@pytest.mark.parametrize("other", [len, 3, "add", object()])
def test_nothing_else_has_a_stub(other: Any) -> None:
    with pytest.raises(TypeError, match="has no call stub"):
        trampoline.disassemble(other)


def test_what_the_backend_cannot_call_is_refused() -> None:
    with pytest.raises(UnsupportedSignatureError):
        trampoline.disassemble(Signature(COMPLEX_DOUBLE, [COMPLEX_DOUBLE]))


def test_statistics_count_what_is_made(library: Library) -> None:
    before = trampoline.statistics()
    signature = Signature(INT64, [INT64] * 13)  # that no other test has
    trampoline.disassemble(signature)
    after = trampoline.statistics()
    assert after.stubs == before.stubs + 1
    assert 0 < after.code_bytes - before.code_bytes < 4096
    assert after.mapped_bytes >= after.code_bytes
    assert after.strategy in ("dual", "pages")


def test_a_map_for_perf_names_stubs(add: Any) -> None:
    assert add(1, 2) == 3
    path = Path(trampoline.enable_perf_map())
    assert path.name == f"perf-{os.getpid()}.map"
    assert " epsilon.foreign:int64(int64,int64)\n" in path.read_text()
    trampoline.disassemble(Signature(INT64, [INT64] * 14))
    assert path.read_text().count(",".join(["int64"] * 14)) == 1
    path.unlink()


def test_the_environment_turns_the_map_on(tmp_path: Path) -> None:
    code = (
        "import os\n"
        "from epsilon.foreign.backend import get_backend\n"
        "get_backend('trampoline')\n"
        "path = f'/tmp/perf-{os.getpid()}.map'\n"
        "print(open(path).read())\n"
        "os.remove(path)\n"
    )
    environment = {**os.environ, "EPSILON_FOREIGN_PERF_MAP": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    assert "epsilon.foreign:fallback" in done.stdout


def test_where_there_is_no_backend_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from epsilon.foreign.backend.trampoline import listing

    def refuse(name: str) -> None:
        raise BackendUnavailableError("no stubs here")

    monkeypatch.setattr(listing, "get_backend", refuse)
    with pytest.raises(BackendUnavailableError, match="no stubs here"):
        trampoline.statistics()
