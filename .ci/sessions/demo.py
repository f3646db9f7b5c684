"""`demo`: call libraries that are on this machine, through every backend."""

from __future__ import annotations

import nox

from .installing import install_everything
from .project import INTEGRATION


@nox.session
def demo(session: nox.Session) -> None:
    """Open libm, libc, zlib and SQLite, use them on real input, and compare the backends."""
    install_everything(session, "libffi")
    session.run("python", str(INTEGRATION / "demo"), *session.posargs)
