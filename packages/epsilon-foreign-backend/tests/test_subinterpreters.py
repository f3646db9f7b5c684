"""Backends in a subinterpreter: they work, or their import is refused; the process survives either way."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from backend_support.native import Native

# In a process of its own: what is tested is that nothing crashes. The module is not a public one before 3.14.
SCRIPT = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

inner = '''
import sys
sys.path[:] = {path!r}
from epsilon.foreign.backend import INT64, POINTER, Marshal, Binding, Parameter, Signature, get_backend
try:
    backend = get_backend({name!r})
    add = backend.bind({add}, Signature(INT64, [INT64, INT64]))
    text = Parameter("", Marshal.STRING)
    length = backend.bind({length}, Binding(Signature(INT64, [POINTER]), "length", (text,)))
    for i in range(1000):
        assert add(i, 1) == i + 1
        assert length("x" * i) == i
    try:
        add("x", 1)
    except TypeError as error:
        assert "expected an integer" in str(error)
    print("worked", flush=True)
except ImportError as error:
    print("refused:", error, flush=True)
'''

for _ in range(3):
    one = interpreters.create()
    try:
        failure = interpreters.run_string(one, inner)
    except Exception as error:  # how 3.12 and older tell
        failure = error
    if failure is not None:
        text = str(failure)
        assert "ImportError" in text or "does not support loading in subinterpreters" in text, text
        print("refused:", text)
    interpreters.destroy(one)
print("survived")
"""


@pytest.mark.skipif("QEMU_LD_PREFIX" in os.environ, reason="an emulated interpreter starts no other one")
def test_a_subinterpreter_works_or_is_refused(native: Native, library_path: str) -> None:
    setup = textwrap.dedent(
        f"""
        from epsilon.foreign.backend import loader
        handle = loader.dlopen({library_path!r})
        add, length = loader.dlsym(handle, "add"), loader.dlsym(handle, "length")
        """
    )
    body = SCRIPT.replace("{path!r}", repr([p for p in sys.path if p])).replace(
        "{name!r}", repr(native.backend.name)
    )
    body = body.replace("inner = '''", "inner = f'''")
    done = subprocess.run(
        [sys.executable, "-c", setup + body],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    if "No module named" in done.stderr and "interpreters" in done.stderr:
        pytest.skip("this interpreter has no module that makes subinterpreters")
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.splitlines()[-1] == "survived"
