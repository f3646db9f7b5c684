"""Random structs and unions, written to headers and bound by discovery, are laid out as the C compiler does it.

Every member is assigned in C and in Python, by the same expression, and all bytes are compared.
EPSILON_FOREIGN_HEADERS is how many (1,000 by default), EPSILON_FOREIGN_HEADERS_SEED the first seed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from headers.random_header import differences
from layouts.target import Target

COUNT = int(os.environ.get("EPSILON_FOREIGN_HEADERS") or 1000)
SEED = int(os.environ.get("EPSILON_FOREIGN_HEADERS_SEED") or 1)
BATCH = 250


@pytest.mark.skipif(
    os.environ.get("EPSILON_FOREIGN_BACKEND") not in (None, "", "ctypes"),
    reason="no backend takes part in parsing: compared in the run on ctypes",
)
def test_random_declarations_are_bound_as_the_compiler_lays_them_out(tmp_path: Path) -> None:
    target = Target()
    if not target.exists:
        pytest.skip(f"no C compiler {target.compiler[0]!r}")
    found = []
    for start in range(SEED, SEED + COUNT, BATCH):
        found += differences(range(start, min(start + BATCH, SEED + COUNT)), tmp_path, target)
    assert not found, "\n".join(found[:5])
