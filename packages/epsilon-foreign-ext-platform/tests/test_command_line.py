"""``python -m epsilon.foreign.ext.platform``: output, exit status, help."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from epsilon.foreign.ext import platform
from epsilon.foreign.ext.platform.command import COMMANDS, main

pytestmark = pytest.mark.once


def test_which_prints_the_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["which", "m", "libm.so.6"]) == 0
    assert capsys.readouterr().out.split() == [platform.find_library("m")] * 2


def test_which_explains_what_is_not_there_on_the_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["which", "m", "no-such-library"]) == 1
    captured = capsys.readouterr()
    assert captured.out.split() == [platform.find_library("m")]
    assert "no-such-library: not found" in captured.err and "default directories" in captured.err


def test_which_explains_what_is_there_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["which", "--explain", "m"]) == 0
    assert capsys.readouterr().out == f"{platform.explain_search('m')}\n"


def test_which_looks_in_the_name_of_another(compile_library, tmp_path: Path, capsys) -> None:
    (tmp_path / "own").mkdir()
    path = compile_library("int one;", "libowned-one.so", folder=tmp_path / "own")
    caller = compile_library("int two;", "libowner.so", "-Wl,-rpath,$ORIGIN/own", folder=tmp_path)
    assert main(["which", "owned-one"]) == 1
    assert main(["which", "owned-one", "--caller", str(caller)]) == 0
    assert str(path) in capsys.readouterr().out


def test_loaded_lists_libraries_and_segments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loaded", "-s"]) == 0
    out = capsys.readouterr().out
    for library in platform.loaded_libraries():
        assert str(library.path or library.name) in out
    assert "r-x" in out


def test_loaded_with_a_name_lists_what_that_brings(compile_library, tmp_path: Path, capsys) -> None:
    compile_library("int one;", "libbrought.so", folder=tmp_path)
    options = ("-L", str(tmp_path), "-lbrought", "-Wl,-rpath,$ORIGIN")
    path = compile_library(
        "extern int one; int *two(void) { return &one; }", "libbringer.so", *options, folder=tmp_path
    )
    assert main(["loaded", str(path)]) == 0
    assert [Path(line.split()[-1]).name for line in capsys.readouterr().out.splitlines()] == [
        "libbringer.so",
        "libbrought.so",
    ]


def test_symbols_lists_what_a_library_exports(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["symbols", "m", "--grep", "cos", "--kind", "function"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[-1].partition("@")[0] == "cos" for line in lines)
    assert all("cos" in line and " function " in line for line in lines)
    assert main(["symbols", "m", "--grep", "no-such-symbol"]) == 1


def test_conventions_lists_them_with_their_backends(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conventions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(platform.conventions())
    assert "ctypes" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["2"], ["ENOENT (2)", "FileNotFoundError"]),
        (["EACCES"], ["EACCES (13)", "PermissionError"]),
        (["0"], ["SUCCESS"]),
        (["--windows", "0x5"], ["ERROR_ACCESS_DENIED (5)", "PermissionError"]),
        (["ERROR_BROKEN_PIPE"], ["(109)", "BrokenPipeError"]),
    ],
)
def test_error_says_what_a_code_means(arguments, words, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["error", *arguments]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in words)


def test_error_refuses_what_is_no_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["error", "EWHATEVER"]) == 1
    assert "'EWHATEVER' is no error code" in capsys.readouterr().err


def test_what_goes_wrong_is_a_message_and_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.so"
    text.write_text("text")
    assert main(["symbols", str(text)]) == 2
    assert f"{text} is no ELF file" in capsys.readouterr().err
    assert main(["symbols", str(tmp_path / "none.so")]) == 2


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], *([name, "--help"] for name in COMMANDS)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        assert "usage: python -m epsilon.foreign.ext.platform" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2


def test_bench_measures_and_writes_what_it_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "measured.json"
    assert main(["bench", "--quick", "--only", "inspecting", "--json", str(out)]) == 0
    rows = json.loads(out.read_text())
    assert rows and all(row["ours"] > 0 for row in rows)
    assert "goals met" in capsys.readouterr().out


def test_the_module_is_a_program_and_survives_a_reader_that_leaves() -> None:
    command = f"{sys.executable} -m epsilon.foreign.ext.platform symbols c | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and "0x" in done.stdout
