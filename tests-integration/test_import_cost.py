"""Importing the api is cheap, whatever it can do later."""

from __future__ import annotations

import json

import pytest

resource = pytest.importorskip("resource", reason="the processor time of child processes")

ROUNDS = 15
HEAVY = ("cffi", "_cffi_backend", "numpy", "inspect", "dataclasses", "platform", "subprocess", "clang")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bytecode is kept, as an installer or the first import leaves it, wherever the sources are."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))


def seconds(run_python, statement: str) -> float:
    """Processor time of a fresh interpreter that runs `statement`: what a busy machine stretches least."""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run_python("-c", statement)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime


#: The import alone, and with what declaring a C function needs: the names of a package are loaded when they
#: are first asked for, so the first must be far below what the second may take. Seconds over the bare
#: interpreter.
STATEMENTS = {
    "import epsilon.foreign.api": 0.020,
    "from epsilon.foreign.api import Library, c": 0.060,
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_importing_the_api_takes_at_most_60_ms_more_than_nothing(run_python, statement) -> None:
    seconds(run_python, statement)  # writes the bytecode files
    # In turns, and the best of each: the rest is what other processes did to the caches meanwhile.
    bare, with_api = zip(
        *[(seconds(run_python, "pass"), seconds(run_python, statement)) for _ in range(ROUNDS)], strict=True
    )
    extra = min(with_api) - min(bare)
    assert extra <= STATEMENTS[statement], f"{extra * 1000:.1f} ms"


def test_functions_are_declared_without_the_modules_of_data_and_callbacks(run_python) -> None:
    program = (
        "import json, sys; from epsilon.foreign.api import Library, c; print(json.dumps(list(sys.modules)))"
    )
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    data = {
        "memobject",
        "upcall",
        "structs",
        "arrays",
        "pointers",
        "objects",
        "arena",
        "callbacks",
        "trampoline",
    }
    assert not data & {name.rpartition(".")[2] for name in json.loads(done.stdout) if "epsilon" in name}


#: Modules, and what is loaded of each by its first use.
LIGHT = {
    "the api": "import epsilon.foreign.api",
    "the platform extension": "from epsilon.foreign.ext.platform import find_library; find_library('m')",
}


@pytest.mark.parametrize("what", LIGHT)
def test_nothing_heavy_is_imported_by(run_python, what: str) -> None:
    program = f"import json, sys; {LIGHT[what]}; print(json.dumps(sorted(sys.modules)))"
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    assert not set(HEAVY) & set(json.loads(done.stdout))
