"""``EPSILON_FOREIGN_DEBUG=1``: C that runs past its buffer is stopped where it does; correct programs run
unchanged.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="guard pages need mmap and mprotect")

START = """
from epsilon.foreign.runtime import *
T = TYPES
library = Library({path!r})
past = library.bind("past", T["int"], [T["pointer"], T["long"]])
point = make_aggregate("point", {{"x": T["int"], "y": T["int"]}})
"""


@pytest.fixture(scope="session")
def data_path(compile_library) -> Path:
    return compile_library(Path(__file__).resolve().parent / "native" / "data.c", "libdata.so")


def run(path: Path, program: str, debug: str = "1") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START.format(path=str(path)) + program],
        env=os.environ | {"EPSILON_FOREIGN_DEBUG": debug},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "make",
    [
        "alloc(T['uint8'], 64)",
        "array(T['uint8'], 64)",
        "Arena().alloc(T['uint8'], 64)",
        "new(Array[T['uint8'], 64])",
    ],
)
def test_a_write_behind_an_allocation_faults_at_once(data_path: Path, make: str) -> None:
    done = run(
        data_path, f"p = {make}; assert past(p, 63) == 1; print('inside'); past(p, 64); print('beyond')"
    )
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "inside\n")


def test_a_write_behind_a_struct_faults_at_once(data_path: Path) -> None:
    done = run(data_path, "p = point(1, 2); assert past(p, 7) == 1; print('inside'); past(p, 8)")
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "inside\n")


def test_freed_memory_stays_inaccessible(data_path: Path) -> None:
    done = run(data_path, "p = alloc(T['int'], 4); a = p.address; free(p); print('freed'); past(a, 0)")
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, "freed\n")


@pytest.mark.parametrize(
    ("index", "words"), [(-1, "bytes before its beginning"), (61, "0 bytes behind its end")]
)
def test_a_small_overrun_is_found_when_the_memory_is_freed(data_path: Path, index: int, words: str) -> None:
    done = run(data_path, f"p = alloc(T['uint8'], 61, align=8); past(p, {index}); free(p)")
    assert done.returncode == 1 and "CorruptedMemoryError" in done.stderr and words in done.stderr


CORRECT = """
values = array(T["int"], range(100))
with Arena() as arena:
    p = arena.alloc(T["double"], 10, align=64)
    p[9] = 2.5
    name = arena.string("text")
    assert string_at(name) == "text" and p[9] == 2.5 and p.address % 64 == 0
points = [point(i, -i) for i in range(300)]
assert all(q.x == -q.y for q in points) and sum(values) == 4950
with memory(T["int"], 3) as m:
    assert list(m) == [0, 0, 0]
import copy
assert copy.copy(points[3]) == points[3]
print("ok")
"""


@pytest.mark.parametrize("debug", ["1", "0", ""])
def test_a_correct_program_runs_unchanged(data_path: Path, debug: str) -> None:
    done = run(data_path, CORRECT, debug)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
