"""The sessions of this repository: ``python3 noxfile.py -s demo``, ``-s tests``, … or plain ``nox -s …``.

Run as a script it needs nothing but CPython 3.11+ and pip: where nox is not importable, a private
environment below ``.nox/`` gets it, and uv with it. The sessions themselves stand in ``.ci/sessions/``,
one concept a file. (nox: https://nox.thea.codes/en/stable/config.html)
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / ".ci"))

if __name__ == "__main__":
    import bootstrap

    raise SystemExit(bootstrap.run_nox(ROOT, sys.argv[1:]))

import os

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests"]
# The interpreters are the machine's own: a missing one is reported, never downloaded.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
# Without bytecode files every start compiles everything anew, which is slow and falsifies what imports cost.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Importing a module registers its sessions with nox, in the order that `nox --list` shows.
import sessions.demo
import sessions.testing
import sessions.matrix
import sessions.lint
import sessions.building
import sessions.bench
import sessions.aarch64  # noqa: F401
