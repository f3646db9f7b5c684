"""What walks the stack through a stub finds its way, or stops: debuggers, and C++ exceptions."""

from __future__ import annotations

import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from epsilon.foreign.backend import unavailable_reason

if unavailable_reason("trampoline"):
    pytest.skip(f"no trampoline here: {unavailable_reason('trampoline')}", allow_module_level=True)

_CALL = """
import sys
from epsilon.foreign.backend import INT32, Binding, Signature, get_backend
backend = get_backend("trampoline")
address = backend.dlsym(backend.dlopen(sys.argv[1]), "inside")
for release_gil in (True, False):
    backend.bind(address, Binding(Signature(INT32, [INT32]), "inside", release_gil=release_gil))(7)
"""


def compiled(folder: Path, name: str, source: str, compiler: str) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    path = folder / name
    path.write_text(source)
    library = path.with_suffix(".so")
    subprocess.run([compiler, "-g", "-O0", "-shared", "-fPIC", "-o", library, path], check=True)
    return library


def test_a_cpp_exception_that_reaches_a_stub_ends_the_process(tmp_path: Path) -> None:
    """There is no handler beyond a stub, so the C++ runtime says so and aborts: nothing is unwound halfway."""
    source = 'extern "C" int inside(int x) { if (x) throw x; return 0; }'
    library = compiled(tmp_path, "thrower.cpp", source, "g++")
    done = subprocess.run([sys.executable, "-c", _CALL, library], capture_output=True, text=True)
    assert done.returncode == -signal.SIGABRT
    assert "terminate called" in done.stderr


def test_a_cpp_exception_that_is_caught_in_cpp_is_none_of_the_stubs_business(tmp_path: Path) -> None:
    source = 'extern "C" int inside(int x) { try { throw x; } catch (int y) { return y; } }'
    library = compiled(tmp_path, "catcher.cpp", source, "g++")
    subprocess.run([sys.executable, "-c", _CALL, library], check=True)


@pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
@pytest.mark.skipif(
    platform.machine() != "x86_64", reason="reads the frame chain by the name of its register"
)
def test_the_chain_of_frame_pointers_leads_through_a_stub_to_the_interpreter(tmp_path: Path) -> None:
    """gdb's own backtrace ends at a stub, which has no unwind tables; the chain that profilers walk does not."""
    library = compiled(tmp_path, "target.c", "int inside(int x) { return x + 1; }", "gcc")
    caller = "info symbol *(long *)(*(long *)$rbp + 8)"  # where the stub will return to
    commands = ["set breakpoint pending on", "break inside", "run", caller, "continue", caller, "kill"]
    arguments = [part for command in commands for part in ("-ex", command)]
    done = subprocess.run(
        ["gdb", "-nx", "-batch", *arguments, "--args", sys.executable, "-c", _CALL, str(library)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "inside (x=7)" not in done.stdout:
        pytest.skip(f"gdb cannot run programs here: {done.stderr.strip().splitlines()[-1:]}")
    found = [line for line in done.stdout.splitlines() if " in section .text" in line]
    assert len(found) == 2, "one stop with the GIL released and one with it held"
    assert all("Py" in line or "call" in line for line in found), found
