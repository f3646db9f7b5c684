"""The command from end to end, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from epsilon.foreign.ext.perf.__main__ import main
from epsilon.foreign.ext.perf.bench import QUICK, Report, Workshop, child


def test_a_quick_run_of_one_call_from_end_to_end(
    workshop: Workshop, cache_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "svg", "markdown")}
    outputs = [f"--{kind}={path}" for kind, path in files.items()]
    peers = "ours,c,ctypes"
    code = main(["bench", "--quick", "--only", "add", f"--peers={peers}", f"--cache={cache_root}", *outputs])
    assert code == 0
    printed = capsys.readouterr()
    assert "long f(long, long)" in printed.out
    assert printed.err == ""  # no terminal: no progress
    found = json.loads(files["json"].read_text())
    assert [row["name"] for row in found["suites"][0]["rows"]] == ["add"]
    cells = {(cell["peer"], cell["gil"]): cell for cell in found["suites"][0]["rows"][0]["cells"]}
    for gil in ("held", "released"):
        assert (
            0 < cells["ctypes", gil]["low"] <= cells["ctypes", gil]["median"] <= cells["ctypes", gil]["high"]
        )
    assert cells["ours-ctypes", "held"]["median"] > 0  # this backend works everywhere
    assert cells["ctypes", "held"]["samples"] == QUICK.rounds
    ElementTree.parse(files["svg"])
    assert "long f(long, long)" in files["markdown"].read_text()


@pytest.mark.parametrize("row", ["item", "point", "loop", "new_callback"])
def test_a_quick_run_of_one_row_about_data_or_callbacks(
    workshop: Workshop, cache_root: Path, tmp_path: Path, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "svg", "markdown")}
    outputs = [f"--{kind}={path}" for kind, path in files.items()]
    peers = "--peers=ours-trampoline,ours-ctypes,ctypes"
    assert main(["bench", "--quick", f"--only={row}", peers, f"--cache={cache_root}", *outputs]) == 0
    found = json.loads(files["json"].read_text())
    (measured,) = found["suites"][0]["rows"]
    assert measured["name"] == row
    assert {cell["gil"] for cell in measured["cells"]} in ({"untouched"}, {"held", "released"})
    assert all(cell["median"] > 0 for cell in measured["cells"])
    if found["ours"] == "ours-trampoline":
        assert found["goals"]
    assert measured["label"] in capsys.readouterr().out
    assert f"| {measured['label']} |" in files["markdown"].read_text()
    drawn = ElementTree.parse(files["svg"]).getroot()
    assert measured["label"] in {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}


def test_a_name_that_is_nothing_ends_with_a_message_and_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err
    assert main(["bench", "--peers", "nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_missed_goals_matter_only_when_asked(
    report: Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from epsilon.foreign.ext.perf.bench import command

    class Finished:
        def __init__(self, *arguments: object, **options: object) -> None: ...

        def __call__(self) -> Report:
            return report

    monkeypatch.setattr(command, "Run", Finished)
    assert main(["bench", "--quick"]) == 0
    assert main(["bench", "--quick", "--check"]) == 1
    assert "✗ missed" in capsys.readouterr().out


def test_the_listing_names_rows_and_peers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    listed = capsys.readouterr().out
    assert "calls: noop, twice, add" in listed and "cffi-api" in listed


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "epsilon.foreign.ext.perf", "--help"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "bench" in done.stdout


def test_importing_the_package_imports_no_peer_and_no_benchmark() -> None:
    code = (
        "import sys, epsilon.foreign.ext.perf;"
        "print([m for m in sys.modules if m.startswith(('cffi', 'nanobind', 'Cython', 'rich'))"
        " or m == 'epsilon.foreign.ext.perf.bench'])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_a_child_process_answers_in_json() -> None:
    assert child.run("operator:add", 2, 3) == 5


def test_a_child_process_that_fails_says_why() -> None:
    from epsilon.foreign.ext.perf.bench import UnavailableError

    with pytest.raises(UnavailableError, match="ZeroDivisionError"):
        child.run("operator:truediv", 1, 0)
