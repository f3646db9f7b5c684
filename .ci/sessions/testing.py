"""`tests`: each package with only the layers below it installed, then all together, once per backend.

An import that reaches up a layer fails here, since what it reaches for is not installed. Which backends
there are is asked of the installed package itself, in the environment that runs the tests.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nox
from nox.command import CommandFailed

from .installing import WITH_CFFI, install, install_everything, installed_interpreter, possible_extras
from .interpreters import Interpreter
from .outcomes import Outcome, append, closing_line, read_junit
from .project import INTEGRATION, PACKAGES, Package, below

#: Where a run over several interpreters collects its rows.
RESULTS = "EPSILON_FOREIGN_RESULTS"
#: Set where several interpreters are tested: what does not depend on them may do less.
MATRIX = "EPSILON_FOREIGN_MATRIX"
NO_CFFI = "cffi has no wheel for free-threaded CPython before 3.14"
STAGES = [*(package.label for package in PACKAGES.values()), "integration"]

#: One that calls in another process is an extension's own: its tests are there, and here it would take an hour.
_BACKENDS = """
import json
from epsilon.foreign.backend import backend_names, get_backend, unavailable_reason

def reason(name):
    why = unavailable_reason(name)
    if why is None and getattr(get_backend(name), "remote", None) is not None:
        why = "calls in another process: tested by the extension that it is of"
    return why

print(json.dumps({name: reason(name) for name in sorted(backend_names())}))
"""


@nox.session
@nox.parametrize("stage", STAGES, ids=STAGES)
def tests(session: nox.Session, stage: str) -> None:
    """Test every package on the layers below it, then all together; arguments after -- go to pytest."""
    package = next((package for package in PACKAGES.values() if package.label == stage), None)
    if package is None:
        install_everything(session, "test", *WITH_CFFI)
        install(session, "-r", str(INTEGRATION / "requirements.txt"))
        folder = INTEGRATION
    else:
        install_stage(session, package, *possible_extras(session, *WITH_CFFI))
        folder = package.folder / "tests"
    run_on_backends(session, installed_interpreter(session), stage, folder)


def install_stage(session: nox.Session, package: Package, *extras: str) -> None:
    """Install a package for its tests, and nothing of this repository that it does not stand on."""
    lower = [each.requirement(*extras) for each in below(package)]
    install(session, *lower, package.requirement("test", *extras))


@dataclass(frozen=True)
class Launcher:
    """How the Python under test is started: its command and what its environment has besides."""

    command: tuple[str, ...] = ("python",)
    env: dict[str, str] = field(default_factory=dict)

    def run(self, session: nox.Session, *arguments: str, backend: str = "", silent: bool = False) -> str:
        """Run it on a preferred backend; what it printed, when `silent`. Raises CommandFailed."""
        env = {**self.env, "EPSILON_FOREIGN_BACKEND": backend, "PYTHONUNBUFFERED": "1"}
        output = session.run(*self.command, *arguments, env=env, silent=silent, log=False, external=True)
        return str(output)


def run_on_backends(
    session: nox.Session,
    interpreter: Interpreter,
    stage: str,
    *paths: Path,
    launcher: Launcher | None = None,
    only: str | None = None,
) -> None:
    """Run the tests in `paths` once per backend, or on `only` one; fails after the last one when any test failed."""
    launcher = launcher or Launcher()
    outcomes = []
    for backend, reason in backend_reasons(session, interpreter, launcher).items():
        if only not in (None, backend):
            continue
        if reason is None:
            outcomes.append(run_pytest(session, interpreter, stage, paths, backend, launcher))
        else:
            print(f"\n--- {stage} on {backend}: not run: {reason}", flush=True)
            outcomes.append(Outcome(interpreter.label, stage, backend, reason=reason))
    if results := os.environ.get(RESULTS):
        append(Path(results), outcomes)
    print(closing_line(stage, outcomes), flush=True)
    failed = [outcome.backend for outcome in outcomes if outcome.failed]
    if failed or not any(outcome.ran for outcome in outcomes):
        session.error(f"tests of {stage} failed on {', '.join(failed) or 'every backend: none is available'}")


def backend_reasons(
    session: nox.Session, interpreter: Interpreter, launcher: Launcher
) -> dict[str, str | None]:
    """Each backend's name with the reason why it cannot work in this environment, or None when it can."""
    answer = launcher.run(session, "-c", _BACKENDS, silent=True)
    reasons: dict[str, str | None] = json.loads(answer.splitlines()[-1])
    if reasons.get("libffi") and not interpreter.has_cffi:
        reasons["libffi"] = NO_CFFI
    return reasons


def run_pytest(
    session: nox.Session,
    interpreter: Interpreter,
    stage: str,
    paths: Sequence[Path],
    backend: str,
    launcher: Launcher,
) -> Outcome:
    """One pytest run with EPSILON_FOREIGN_BACKEND set; a crash of the interpreter counts as a failure."""
    report = Path(session.create_tmp(), f"{stage}-{backend}.xml").resolve()
    report.unlink(missing_ok=True)
    print(f"\n--- {stage} on {backend}, CPython {interpreter.label}", flush=True)
    broken = ""
    arguments = ("-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={report}", *map(str, paths))
    try:
        launcher.run(session, *arguments, *session.posargs, backend=backend)
    except CommandFailed as error:
        sys.stdout.flush()
        broken = f"pytest: {str(error.reason).lower()}"
        session.warn(broken)
    return read_junit(report, Outcome(interpreter.label, stage, backend), broken)
