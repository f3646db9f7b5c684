"""The benchmark measures, compares with its limits, and says what it cannot measure."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path

import pytest
from epsilon.foreign.api import available_backends
from epsilon.foreign.ext.discovery.bench.__main__ import line, main
from epsilon.foreign.ext.discovery.bench.child import FailedError, Task, measure
from epsilon.foreign.ext.discovery.bench.measures import Result

pytestmark = pytest.mark.skipif(
    os.environ.get("EPSILON_FOREIGN_BACKEND") not in (None, "", available_backends()[0]),
    reason="it starts many processes: run with the preferred backend",
)


def test_a_statement_is_timed_and_its_memory_known() -> None:
    quick, slow = measure(Task("pass")), measure(Task("sum(range(2_000_000))", "kept = b'x' * 2**26"))
    assert 0 <= quick.seconds < slow.seconds
    assert slow.peak - quick.peak > 2**25


def test_what_fails_says_why() -> None:
    with pytest.raises(FailedError, match="ZeroDivisionError"):
        measure(Task("1 / 0"))


def test_a_result_is_shown_beside_its_limit() -> None:
    assert line(Result("take time", 0.25, 0.2, 0.1, "2 x bare")) == (
        "MISSED  take time: 250.0 ms, 2.50 x 100.0 ms (at most 200.0 ms: 2 x bare)"
    )
    assert line(Result("take memory", 90, 300, unit="MiB")) == "kept    take memory: 90 MiB (at most 300 MiB)"
    assert line(Result("just so", 0.001)) == "        just so: 1.0 ms" and Result("just so", 1).kept


@pytest.mark.skipif(
    not Path(sysconfig.get_paths()["include"], "Python.h").is_file(), reason="no Python.h to measure with"
)
def test_the_report_has_every_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small.h").write_text("double hypot(double x, double y);\n")
    main(["--header", "small.h", "--library", "m", "-I", str(tmp_path), "--runs", "1", "--json"])
    results = json.loads(capsys.readouterr().out)
    assert len(results) == 6 and all(result["ours"] > 0 for result in results)
    assert [result["unit"] for result in results] == ["s"] * 5 + ["MiB"]
    assert results[-1]["kept"]


def test_what_cannot_be_measured_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--header", "there_is_no_such.h", "--runs", "1"]) == 2
    assert "there_is_no_such.h" in capsys.readouterr().err
