"""`bench`: the benchmark of epsilon-foreign-ext-perf against the peers that can be built here."""

from __future__ import annotations

import nox

from .installing import install_everything


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against the peers; arguments after -- go to the benchmark."""
    install_everything(session, "libffi", "peers", "numpy")
    session.run("python", "-m", "epsilon.foreign.ext.perf", "bench", *session.posargs)
