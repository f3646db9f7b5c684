"""Where no stub can be made, the next backend serves, silently, and the reason can be asked for.

Each case runs in a process of its own: a backend is created once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parent / "support"
#: What every process does in the end: call C by whatever backend serves.
CALLS = """
import warnings
warnings.simplefilter("error")
from epsilon.foreign.backend import *
from epsilon.foreign.backend import loader
signature = Signature(INT64, [INT64])
backend = select_backend(signature)
labs = backend.bind(backend.dlsym(backend.dlopen(None), "labs"), Binding(signature, "labs"))
assert labs(-5) == 5
print(backend.name, "|", unavailable_reason("trampoline"))
"""


def run(before: str) -> list[str]:
    """The name of the backend that served, and why the trampoline did not."""
    code = textwrap.dedent(before) + CALLS
    path = os.pathsep.join([str(SUPPORT), *sys.path])
    environment = {k: v for k, v in os.environ.items() if k != "EPSILON_FOREIGN_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode == 77:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [part.strip() for part in done.stdout.split("|")]


def test_the_trampoline_serves_where_nothing_refuses() -> None:
    assert run("") == ["trampoline", "None"]


@pytest.mark.parametrize("refused", ["mmap", "mprotect", "both"])
def test_refused_executable_memory(refused: str) -> None:
    served, reason = run(
        f"""
        import ctypes
        from epsilon.foreign.backend.trampoline import mapping
        library = mapping.libc()

        class Refusing:
            munmap, madvise, syscall = library.munmap, library.madvise, library.syscall

            def mmap(self, address, size, protection, *rest):
                if {refused != "mprotect"} and protection & mapping.EXECUTE:
                    ctypes.set_errno(13)
                    return mapping._FAILED
                return library.mmap(address, size, protection, *rest)

            def mprotect(self, address, size, protection):
                if protection & mapping.EXECUTE or {refused == "mprotect"}:
                    ctypes.set_errno(13)
                    return -1
                return library.mprotect(address, size, protection)

        mapping._library = Refusing()
        """
    )
    assert served in ("libffi", "ctypes")
    assert "no executable memory" in reason
    assert "Permission denied" in reason


def test_a_policy_of_the_kernel_against_executable_memory() -> None:
    served, reason = run(
        """
        import platform, sys
        from epsilon.foreign.backend import *
        from epsilon.foreign.backend import loader
        # Whatever needs a shared library is loaded now; afterwards none can be.
        backend_names()
        for name in ("libffi", "ctypes"):
            if unavailable_reason(name) is None:
                labs = loader.dlsym(loader.dlopen(None), "labs")
                assert get_backend(name).bind(labs, Signature(INT64, [INT64]))(-1) == 1
        import epsilon.foreign.backend.trampoline.backend
        from seccomp import forbid_executable_memory
        try:
            forbid_executable_memory()
        except (OSError, KeyError) as error:
            print(f"no system call filters here: {error!r}")
            sys.exit(77)
        """
    )
    assert served in ("libffi", "ctypes")
    assert "no executable memory" in reason
    assert "Operation not permitted" in reason


@pytest.mark.parametrize("machine", ["riscv64", "ppc64le", "i686"])
def test_an_unknown_processor(machine: str) -> None:
    served, reason = run(
        f"""
        import os
        from types import SimpleNamespace
        known = os.uname()
        os.uname = lambda: SimpleNamespace(machine={machine!r}, sysname=known.sysname, release=known.release)
        """
    )
    assert served in ("libffi", "ctypes")
    assert machine in reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("sys.platform = 'plan9'", "plan9"),
        ("sys.implementation = type(known)(**{**vars(known), 'name': 'snakey'})", "snakey"),
    ],
)
def test_an_unknown_system_or_interpreter(change: str, words: str) -> None:
    served, reason = run(
        f"""
        import sys, ctypes, platform, importlib.metadata
        from epsilon.foreign.backend import trampoline
        from epsilon.foreign.backend.trampoline import host
        known = sys.implementation
        {change}
        """
    )
    assert served in ("libffi", "ctypes")
    assert words in reason


def test_a_library_function_that_is_missing() -> None:
    served, reason = run(
        """
        from epsilon.foreign.backend.trampoline import cpython
        from epsilon.foreign.backend.trampoline.cpython import symbols
        del symbols.FUNCTIONS["PyLong_FromLong"]
        symbols.FUNCTIONS.pop("PyObject_Vectorcall")
        """
    )
    assert served in ("libffi", "ctypes")
    assert "PyObject_Vectorcall" in reason
