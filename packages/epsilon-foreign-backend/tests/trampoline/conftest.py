"""Makes `support/`, what the tests of the machine layer share, importable.

The trampoline's own tests do not ask which backend is preferred, so a run that names another one leaves them out, and
says so: they run with the trampoline.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

_NAMED = os.environ.get("EPSILON_FOREIGN_BACKEND")
collect_ignore_glob = ["test_*.py"] if _NAMED not in (None, "", "trampoline") else []


def pytest_report_header() -> str | None:
    """Say what is left out."""
    return f"tests/trampoline: run with the trampoline, not with {_NAMED}" if collect_ignore_glob else None
