"""`aarch64`: the backend's tests on a real AArch64 CPython under user-mode emulation; `aarch64-quick`: some.

The interpreter comes from the script ``../shared/pythons/aarch64-root`` beside the checkout, the test
tools from AArch64 wheels, and the C libraries of the tests from a cross compiler. Where one of them is
not to be had, the session says what is missing and ends well: emulation is a convenience of a test
machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox
from nox.command import CommandFailed

from .cache import cache_folder
from .interpreters import Interpreter
from .project import PACKAGES, ROOT, Package
from .testing import Launcher, run_on_backends

#: The folder of an unpacked AArch64 system with a CPython; made there when it is empty.
VARIABLE = "EPSILON_FOREIGN_AARCH64_ROOT"
SCRIPT = ROOT.parent / "shared/pythons/aarch64-root"
EMULATOR = "qemu-aarch64-static"
COMPILER = "aarch64-linux-gnu-gcc"
COMPILER_PACKAGES = ("gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross")
PYTHON = "usr/bin/python3.13"
TAGS = ("--implementation=cp", "--python-version=313", "--only-binary=:all:")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")


#: What generated code must get right, and nothing that runs as well on the host: a few minutes of emulation.
QUICK = (
    "test_scalars.py",
    "test_many_parameters.py",
    "test_variadic.py",
    "test_by_value_random.py",
    "test_errno.py",
    "test_finish_and_guard.py",
    "test_strings_and_buffers.py",
    "test_memory_objects.py",
    "test_callbacks.py",
    "test_upcalls_numbers.py",
    "trampoline/test_attaching.py",
    "trampoline/test_machine_behaviour.py",
    "trampoline/test_data_objects.py",
)


@nox.session(default=False)
def aarch64(session: nox.Session) -> None:
    """Run the backend's tests on an emulated AArch64 CPython 3.13; arguments after -- go to pytest."""
    emulated(session, PACKAGES["epsilon-foreign-backend"].folder / "tests")


@nox.session(name="aarch64-quick", default=False)
def aarch64_quick(session: nox.Session) -> None:
    """Run what the trampoline must get right on an emulated AArch64 CPython, in a few minutes."""
    tests = PACKAGES["epsilon-foreign-backend"].folder / "tests"
    emulated(session, *(tests / name for name in QUICK), only="trampoline")


def emulated(session: nox.Session, *paths: Path, only: str | None = None) -> None:
    """Run tests under emulation, on every backend or on `only` one."""
    root = Path(os.environ.get(VARIABLE) or cache_folder() / "aarch64-root").resolve()
    if reason := missing(root):
        session.log(f"aarch64: not run: {reason}")
        return
    package = PACKAGES["epsilon-foreign-backend"]
    site = wheels_for(session, package)
    launcher = Launcher(
        command=(EMULATOR, "-L", str(root), str(root / PYTHON)),
        env={
            "PYTHONPATH": os.pathsep.join([str(package.folder / "src"), str(site)]),
            "CC": COMPILER,
            "QEMU_LD_PREFIX": str(root),
            # Compiling takes most of the time here, so what was compiled is kept.
            "PYTHONPYCACHEPREFIX": str(cache_folder() / "aarch64-bytecode"),
        },
    )
    interpreter = Interpreter((3, 13, 0), False, str(root / PYTHON))
    run_on_backends(session, interpreter, "aarch64", *paths, launcher=launcher, only=only)


def missing(root: Path) -> str | None:
    """Get interpreter, emulator and compiler where that is possible; what is still missing, or None."""
    may_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None
    try:
        if not (root / PYTHON).exists() or not shutil.which(EMULATOR):
            if not SCRIPT.exists() or not may_install:
                return f"there is no {EMULATOR} with an AArch64 CPython in {root}, and no means to make one"
            subprocess.run(["bash", str(SCRIPT), str(root)], check=True, stdin=subprocess.DEVNULL)
        if not shutil.which(COMPILER):
            if not may_install:
                return f"there is no {COMPILER} for the C libraries of the tests"
            install = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *COMPILER_PACKAGES]
            subprocess.run(["apt-get", "-q", "update"], check=True, stdin=subprocess.DEVNULL)
            subprocess.run(install, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None


def wheels_for(session: nox.Session, package: Package) -> Path:
    """A folder with the AArch64 wheels that the package's tests and its libffi extra need."""
    extras = package.project["optional-dependencies"]
    site = Path(session.create_tmp(), "site").resolve()
    shutil.rmtree(site, ignore_errors=True)
    session.install("-q", "pip")
    platforms = [f"--platform={platform}" for platform in PLATFORMS]
    try:
        session.run(
            *("python", "-m", "pip", "--disable-pip-version-check", "install", "-q", f"--target={site}"),
            *(*TAGS, *platforms, *extras["test"], *extras["libffi"]),
        )
    except CommandFailed as error:
        session.error(f"AArch64 wheels cannot be installed: {error}")
    return site
