"""Foreign functions and callbacks in the other interpreters of a process: they work, or say why not.

https://peps.python.org/pep-0734/; the modules used are the ones of CPython's own tests (`_interpreters`, before
3.13 `_xxsubinterpreters`). Each test runs in a process of its own, for a crash would take the tests along.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from epsilon.foreign.backend import Backend

pytest.importorskip("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")

LEGACY, OWN_GIL = "legacy", "isolated"
kinds = pytest.mark.parametrize("kind", [LEGACY, OWN_GIL])

#: Runs CODE in three other interpreters, each of which is gone before the next, and in the main one in between.
PROCESS = """
try:
    import _interpreters as interpreters
    create = interpreters.create
    def run(number):
        problem = interpreters.run_string(number, CODE)
        if problem is not None:
            raise SystemExit(problem.formatted)
except ImportError:
    import _xxsubinterpreters as interpreters
    create = lambda kind: interpreters.create(isolated=kind != "legacy")
    run = lambda number: interpreters.run_string(number, CODE)
for _ in range(3):
    number = create(KIND)
    run(number)
    run(number)
    interpreters.destroy(number)
    exec(CODE, {})
"""
PRELUDE = """
import sys
sys.path[:0] = {path!r}
from epsilon.foreign.backend import *
from epsilon.foreign.backend import loader
if unavailable_reason({name!r}) is None:
    backend, library = get_backend({name!r}), loader.dlopen({library!r})
def bind(symbol, result, *types, **more):
    return backend.bind(loader.dlsym(library, symbol), Binding(Signature(result, types), symbol, **more))
"""
CALLS = """
def calls():
    add = bind("add", INT64, INT64, INT64)
    half = bind("half", DOUBLE, DOUBLE, release_gil=False)
    for i in range(1000):
        assert (add(i, 1), half(i)) == (i + 1, i / 2)
    for wrong in ("x", 2**63, None):
        try:
            add(wrong, 1)
        except ForeignError:
            continue
        raise AssertionError(wrong)
    return "fine"
print(calls() if "backend" in globals() else "unavailable")
"""
CALLBACKS = """
def callbacks():
    seen = []
    try:
        callback = backend.callback(lambda x: seen.append(x) or x + 1, Signature(INT64, [INT64]))
    except UnsupportedSignatureError as error:
        assert sys.version_info < (3, 12) and "main interpreter" in str(error)
        return "refused"
    for release in (True, False):
        call = bind("call_times", INT64, POINTER, INT64, release_gil=release)
        assert call(callback.address, 10) == 55
    assert seen == list(range(10)) * 2
    return "fine"
print(callbacks())
"""


def printed(kind: str, backend: Backend, library: str, code: str) -> list[str]:
    """What every run printed, in order; skips where this kind of interpreter has no ctypes."""
    if kind == OWN_GIL and sys.version_info[:2] == (3, 12):
        pytest.skip("ctypes of Python 3.12 cannot be imported in an interpreter with a GIL of its own")
    code = PRELUDE.format(path=sys.path, name=backend.name, library=library) + code
    done = subprocess.run(
        [sys.executable, "-c", f"KIND, CODE = {kind!r}, {code!r}\n{PROCESS}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@kinds
def test_functions_work_in_each_interpreter(kind: str, backend: Backend, library_path: str) -> None:
    there = "fine"
    if backend.name == "libffi" and kind == OWN_GIL and sys.version_info >= (3, 12):
        there = "unavailable"  # cffi refuses to be imported
    assert printed(kind, backend, library_path, CALLS) == [there, there, "fine"] * 3


@kinds
def test_callbacks_work_or_are_refused(kind: str, backend: Backend, library_path: str) -> None:
    if backend.name == "libffi":
        pytest.skip("cffi attaches its own callbacks to an interpreter")
    there = "refused" if sys.version_info < (3, 12) else "fine"
    assert printed(kind, backend, library_path, CALLBACKS) == [there, there, "fine"] * 3
