"""The command line, as a person uses it."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery.command import main

HEADER = """
/** A place on the screen. */
struct point { char tag; int x; unsigned flags : 3; unsigned urgent : 1; };
/** Mirror a place. */
struct point flip(struct point p);
int sum_all(int n, ...);
static inline int twice(int x) { return 2 * x; }
enum colour { RED = 1, GREEN = 2 };
#define LIMIT (1 << 10)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
extern int counter;
"""
SOURCE = """
struct point { char tag; int x; unsigned flags : 3; unsigned urgent : 1; };
struct point flip(struct point p) { p.x = -p.x; return p; }
int counter = 41; int extra(void) { return 1; }
"""
Run = Callable[..., tuple[int, str, str]]

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc)")


@pytest.fixture
def header(tmp_path: Path) -> Path:
    path = tmp_path / "made.h"
    path.write_text(HEADER)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a tool; its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "made.c").write_text(SOURCE)
    command = ["cc", "-shared", "-fPIC", "-o", str(tmp_path / "libmade.so"), str(tmp_path / "made.c")]
    subprocess.run(command, check=True)
    return tmp_path / "libmade.so"


def test_bind_writes_a_module_to_a_file_or_to_standard_output(run: Run, header: Path, tmp_path: Path) -> None:
    code, out, err = run("bind", header, "--library", "libmade.so", "--output", tmp_path / "made.py")
    assert (code, out, err) == (0, "", "")
    written = (tmp_path / "made.py").read_text()
    assert 'lib = ffi.LazyLibrary("libmade.so")' in written and "def flip(p: point) -> point:" in written
    assert run("bind", header, "-l", "libmade.so") == (0, written, "")
    assert (
        'LazyLibrary("libmade.so", release_gil=False)'
        in run("bind", header, "-l", "libmade.so", "--keep-gil")[1]
    )


def test_parse_writes_a_binding_file_that_the_other_tools_take(
    run: Run, header: Path, tmp_path: Path
) -> None:
    code, out, err = run("parse", header, "-o", tmp_path / "made.json")
    assert (code, out, err) == (0, "", "")
    assert discovery.read_binding(tmp_path / "made.json").functions[0].name == "flip"
    header.unlink()
    assert "flip" in run("bind", tmp_path / "made.json")[1]
    assert "flip" in run("show", tmp_path / "made.json")[1]


def test_choosing_and_naming_reach_the_parser(run: Run, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "types.h").write_text("typedef int lib_number;")
    (tmp_path / "outer.h").write_text(
        "#include <types.h>\n#ifdef WIDE\nlib_number lib_wide(void);\n#endif\nint lib_gone(void); int lib_abs(int x);"
    )
    arguments = [
        "-I",
        "inner",
        "-D",
        "WIDE",
        "--block",
        "*gone",
        "--strip-prefix",
        "lib_",
        "--rename",
        "lib_abs=magnitude",
    ]
    code, out, err = run("bind", "outer.h", *arguments)
    assert code == 0, err
    assert 'name="lib_wide"' in out and "def magnitude(" in out and "gone" not in out
    code, out, err = run("bind", "outer.h", "-I", "inner", "--rename", "nonsense")
    assert code == 3 and "--rename takes C_NAME=PYTHON_NAME" in err


def test_show_counts_and_lists(run: Run, header: Path) -> None:
    code, out, _ = run("show", header)
    assert code == 0
    for line in (
        "made.h",
        "struct point flip(struct point p);",
        "int sum_all(int n, ...);",
        "extern int counter;",
    ):
        assert line in out.splitlines()
    assert "functions" in out and "1 of the functions cannot be called" in out
    assert (
        "cannot be called:" in out and "#define LIMIT (1 << 10)  = 1024" in out and "#define MAX(a, b)" in out
    )
    assert "struct point: 12 bytes, aligned to 4" in out and "\x1b" not in out


def test_show_draws_layouts_with_offsets_sizes_and_padding(run: Run, header: Path) -> None:
    code, out, _ = run("show", header, "--name", "point")
    assert code == 0
    assert out.splitlines()[:9] == [
        "struct point: 12 bytes, aligned to 4",
        "  offset  size",
        "       0     1  char tag",
        "       1     3  (padding)",
        "       4     4  int x",
        "     8:0    3b  unsigned int flags : 3",
        "     8:3    1b  unsigned int urgent : 1",
        "     8:4   28b  (padding)",
        "    A place on the screen.",
    ]
    assert "made.h:3:8" in out
    assert run("show", header, "--layouts")[1].splitlines()[0] == "struct point: 12 bytes, aligned to 4"
    assert run("show", header, "-n", "RED")[1].splitlines()[1:3] == ["    RED = 1", "    GREEN = 2"]
    code, out, err = run("show", header, "--name", "nothing*")
    assert (code, out) == (1, "") and "nothing is named nothing*" in err


def test_show_as_json(run: Run, header: Path) -> None:
    code, out, _ = run("show", header, "--json")
    shown = json.loads(out)
    found = {each["name"]: each for each in shown["declarations"]}
    assert code == 0 and shown["headers"] == ["made.h"] and shown["counts"]["functions"] == 3
    assert found["point"]["size"] == 12 and found["point"]["layout"][1]["padding"]
    assert found["LIMIT"]["value"] == 1024 and found["colour"]["values"] == {"RED": 1, "GREEN": 2}
    assert found["twice"]["uncallable"] and found["flip"]["c"] == "struct point flip(struct point p)"


@needs_compiler
def test_check_tells_what_is_missing_and_verifies_layouts(run: Run, header: Path, library: Path) -> None:
    code, out, _ = run("check", header, "--library", library)
    assert code == 1  # sum_all is missing
    assert "2 exported as declared" in out and "1 missing" in out
    assert "function sum_all (made.h:6:5)" in out and "1 exported and not declared" in out
    assert "1 of 1 structs and unions, 4 members, 2 constants of enums and 1 macros are the compiler's" in out
    code, out, _ = run("check", header, "--library", library, "--json")
    shown = json.loads(out)
    assert (
        code == 1
        and shown["library"]["missing"] == ["sum_all"]
        and shown["library"]["undeclared"] == ["extra"]
    )
    assert shown["layouts"]["ok"] and shown["layouts"]["records_verified"] == 1
    code, out, _ = run("check", header, "--library", library, "--block", "sum_all", "--no-compiler")
    assert code == 0 and "layouts were not verified: --no-compiler was given" in out


@needs_compiler
def test_check_finds_a_binding_file_that_the_header_has_outgrown(
    run: Run, header: Path, tmp_path: Path
) -> None:
    run("parse", header, "-o", "old.json")
    header.write_text(HEADER.replace("int x;", "long x;").replace("RED = 1", "RED = 7"))
    code, out, _ = run("check", "old.json", "-I", ".")
    assert code == 1 and "sizeof struct point: the binding says 12, the compiler 24" in out
    assert "RED: the binding says 1, the compiler 7" in out


def test_diff_marks_what_breaks_the_abi(run: Run, header: Path) -> None:
    run("parse", header, "-o", "old.json")
    assert run("diff", "old.json", "old.json") == (0, "no changes\n", "")
    header.write_text(HEADER + "\nint added(void);")
    run("parse", header, "-o", "new.json")
    code, out, _ = run("diff", "old.json", "new.json")
    assert code == 0 and out.splitlines() == ["     + function added", "1 change, none of them break the ABI"]
    header.write_text(HEADER.replace("int x;", "long x;").replace("int sum_all(int n, ...);", ""))
    run("parse", header, "-o", "new.json")
    code, out, _ = run("diff", "old.json", "new.json")
    assert code == 1 and "ABI  - function sum_all" in out and "ABI  ~ struct point" in out
    assert "       its size was 12 bytes, is 24" in out and "member x was int, is long" in out
    code, out, _ = run("diff", "old.json", "new.json", "--json")
    assert code == 1 and json.loads(out)["abi_breaks"] == 2


def test_errors_are_lines_on_standard_error_with_a_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.h").write_text("int f(unknown_t x);\n")
    code, out, err = run("bind", "broken.h", "-o", "never.py")
    assert (code, out) == (3, "") and not (tmp_path / "never.py").exists()
    assert "broken.h:1:7: error: unknown type name 'unknown_t'" in err and "    int f(unknown_t x);" in err
    assert "Traceback" not in err
    for arguments, says in [
        (("show", "no_such_header.h"), "no_such_header.h"),
        (("check", "broken.json"), "broken.json"),
        (("diff", "broken.json", "missing.json"), "is no binding file"),
        (("check", "ok.h", "--library", "no-such-library"), "no-such-library"),
        (("bind", "ok.h", "-o", "no/such/folder/x.py"), "no/such/folder"),
        (("bind", "ok.h", "--pkg-config", "no-such-package"), "no-such-package"),
    ]:
        (tmp_path / "broken.json").write_text("{")
        (tmp_path / "ok.h").write_text("int f(void);")
        code, _, err = run(*arguments)
        assert code == 3 and says in err and "Traceback" not in err, (arguments, err)


def test_a_wrong_command_line_says_how_it_is_meant(run: Run) -> None:
    code, _, err = run("bnid", "x.h")
    assert code == 2 and "invalid choice" in err
    assert run()[0] == 2 and run("bind")[0] == 2


@pytest.mark.parametrize("tool", [(), ("bind",), ("parse",), ("show",), ("check",), ("diff",)])
def test_help_has_examples_and_exit_codes(run: Run, tool: tuple[str, ...]) -> None:
    code, out, _ = run(*tool, "--help")
    assert code == 0 and "examples:\n  epsilon-foreign-discover" in out and "exit codes:" in out
    assert all(len(line) <= 120 for line in out.splitlines())


def test_the_version_is_said(run: Run) -> None:
    assert run("--version") == (0, f"epsilon-foreign-discover {discovery.__version__}\n", "")


def test_as_a_module_it_runs_in_a_process_of_its_own(header: Path) -> None:
    command = [sys.executable, "-m", "epsilon.foreign.ext.discovery", "show", str(header), "-n", "LIMIT"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("#define LIMIT")


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a tool shows a person."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "epsilon.foreign.ext.discovery", *arguments]
    settings = {"TERM": "xterm", **{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **environment}
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=settings) as process:
        os.close(follower)
        shown = io.BytesIO()
        while True:
            try:
                data = os.read(leader, 4096)
            except OSError:  # Linux's way to say that nobody will write any more
                break
            if not data:
                break
            shown.write(data)
        process.wait()
    os.close(leader)
    return shown.getvalue().decode()


def test_a_terminal_gets_colours_and_progress_and_nothing_else_does(header: Path, tmp_path: Path) -> None:
    shown = on_a_terminal("show", str(header), "-n", "point", TERM="xterm")
    assert "\x1b[1mstruct point" in shown and "parsing" in shown and shown.count("\x1b[K") >= 2
    plain = on_a_terminal("show", str(header), "-n", "point", TERM="xterm", NO_COLOR="1")
    assert "\x1b[1m" not in plain and "struct point" in plain
    said = on_a_terminal("bind", str(header), "-o", str(tmp_path / "made.py"), TERM="xterm")
    assert "declarations, 1 that cannot be called" in said


def test_nothing_in_a_header_steers_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "made.h").write_text('/** \x1b[2J \u202e */\nint f(void);\n#define TEXT "\\x1b[31m"\n')
    _, out, _ = run("show", "made.h", "--name", "*")
    assert "f(void)" in out and "TEXT" in out and "\x1b" not in out and "\u202e" not in out


def test_a_reader_that_has_enough_is_no_error(header: Path) -> None:
    command: Any = f"{sys.executable} -m epsilon.foreign.ext.discovery show stdio.h --all | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
