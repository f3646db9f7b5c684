"""What a measurement depends on and a reader has to know: interpreter, processor, compiler, versions."""

from __future__ import annotations

import platform
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .building import compiler
from .contestant import UnavailableError

_DISTRIBUTIONS = ("epsilon-foreign-backend", "epsilon-foreign-api", "cffi", "nanobind", "Cython")


def describe() -> dict[str, str]:
    """Names and values, in the order in which to show them."""
    threads = " free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    found = {
        "python": f"{platform.python_implementation()} {platform.python_version()}{threads}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "compiler": compiler_version(),
    }
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The processor's name, from Linux's /proc/cpuinfo where there is one."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def compiler_version() -> str:
    """The first line of the C compiler's ``--version``, or that there is none."""
    try:
        command = [*compiler.find("CC"), "--version"]
    except UnavailableError:
        return "none"
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.partition("\n")[0] or "unknown"
