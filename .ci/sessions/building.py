"""`build`: wheels and sdists of every package, and what they are worth once installed.

Wheels go into fresh environments: the integration tests run against them, and every run of the layers,
from the lowest up, must import, be it from wheels, editable folders or a mixture (PEP 420 namespaces,
https://peps.python.org/pep-0420/).
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import nox

from .installing import install, installed_interpreter, possible_extras
from .project import INTEGRATION, PACKAGES, ROOT, Package
from .testing import run_on_backends

DIST = ROOT / "dist"
MODES = ("wheels", "editable", "mixed")


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build every package into dist/, then install and test what was built."""
    session.install("-q", "hatch")
    shutil.rmtree(DIST, ignore_errors=True)
    environment = hatch_environment(session)
    for package in PACKAGES.values():
        with session.chdir(package.folder):
            session.run("hatch", "build", str(DIST), env=environment)
        check_wheel(session, package)
    session.notify("wheels")
    for mode in MODES:
        session.notify(f"namespaces({mode})")


def hatch_environment(session: nox.Session) -> dict[str, str | None]:
    """Hatch makes environments of its own: kept inside the session's, and not mistaken for it by uv."""
    data = Path(session.create_tmp()).resolve()
    return {
        "HATCH_DATA_DIR": str(data),
        "UV_PYTHON": None,
        "UV_PROJECT_ENVIRONMENT": None,
        "VIRTUAL_ENV": None,
    }


def wheel_of(package: Package) -> Path:
    """The wheel of a package in dist/."""
    (wheel,) = DIST.glob(f"{package.name.replace('-', '_')}-*-py3-none-any.whl")
    return wheel


def check_wheel(session: nox.Session, package: Package) -> None:
    """A wheel holds its own package with its type marker, and nothing in the namespaces it shares."""
    prefix = package.module.replace(".", "/") + "/"
    with zipfile.ZipFile(wheel_of(package)) as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
    strangers = [name for name in names if not name.startswith(prefix)]
    if strangers or f"{prefix}py.typed" not in names:
        session.error(f"{package.name}: py.typed is missing or strange files are there: {strangers}")


@nox.session(default=False)
def wheels(session: nox.Session) -> None:
    """Run the integration tests against the wheels of dist/ (`build` makes them and starts this)."""
    interpreter = installed_interpreter(session)
    extras = possible_extras(session, "test", "libffi", "peers")
    wanted = (wheel_with(package, *extras) for package in PACKAGES.values())
    install(session, *wanted, "-r", str(INTEGRATION / "requirements.txt"))
    for package in PACKAGES.values():
        origin = session.run(
            "python", "-c", f"import {package.module} as it; print(it.__file__)", silent=True
        )
        if not str(origin).startswith(str(Path(session.virtualenv.location).resolve())):
            session.error(f"{package.module} is imported from {origin}, not from the wheel")
    run_on_backends(session, interpreter, "wheels", INTEGRATION)


def wheel_with(package: Package, *extras: str) -> str:
    """A requirement for the wheel of a package, with those of `extras` that it offers."""
    return f"{package.name}{package.having(extras)} @ {wheel_of(package).as_uri()}"


@nox.session(default=False)
@nox.parametrize("mode", MODES, ids=MODES)
def namespaces(session: nox.Session, mode: str) -> None:
    """Install the layers of dist/ one by one, as wheels, editable or both in turn, importing after each."""
    installed: list[Package] = []
    for position, package in enumerate(PACKAGES.values()):
        as_wheel = mode == "wheels" or (mode == "mixed" and position % 2 == 0)
        session.install(
            "-q", "--no-deps", *([str(wheel_of(package))] if as_wheel else ["-e", str(package.folder)])
        )
        installed.append(package)
        session.run("python", "-c", "; ".join(f"import {each.module}" for each in installed))
