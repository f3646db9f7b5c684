"""`demo`: call libraries that are on this machine, through every backend."""

from __future__ import annotations

import nox

from .project import INTEGRATION, PACKAGES
from .testing import WITH_CFFI, installed_interpreter


def install_everything(session: nox.Session, *extras: str) -> None:
    """Install every package, editable, with those of `extras` that the interpreter can have."""
    refused = () if installed_interpreter(session).has_cffi else WITH_CFFI
    wanted = [extra for extra in extras if extra not in refused]
    session.install("-q", *(part for package in PACKAGES.values() for part in package.editable(*wanted)))


@nox.session
def demo(session: nox.Session) -> None:
    """Open libm, libc, zlib and SQLite, use them on real input, and compare the backends."""
    install_everything(session, "libffi")
    session.run("python", str(INTEGRATION / "demo"), *session.posargs)
