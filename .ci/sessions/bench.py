"""`bench`: the benchmark of epsilon-foreign-ext-perf against the peers that can be built here.

`bench_platform`: that of epsilon-foreign-ext-platform, which is one of its own: extensions know nothing of each other.
"""

from __future__ import annotations

import nox

from .installing import install_everything


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against the peers; arguments after -- go to the benchmark."""
    install_everything(session, "libffi", "peers", "numpy")
    session.run("python", "-m", "epsilon.foreign.ext.perf", "bench", *session.posargs)


@nox.session(default=False)
def bench_platform(session: nox.Session) -> None:
    """Measure what the platform extension promises; arguments after -- go to the benchmark."""
    install_everything(session)
    session.run("python", "-m", "epsilon.foreign.ext.platform", "bench", *session.posargs)
