"""Aggregates travel in the registers, and at the places on the stack, where compiled C looks for them.

EPSILON_FOREIGN_CLASSIFIED is how many random types are asked about (1,000 by default).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import layouts.comparison  # finds the declarations' generator  # noqa: F401
from epsilon.foreign.backend.trampoline import classify_sysv
from layouts.classification import classified_wrongly
from layouts.target import Target

COUNT = int(os.environ.get("EPSILON_FOREIGN_CLASSIFIED") or 1000)
SEED = 1
TARGETS = {
    "native": Target(),
    "aarch64": Target(("aarch64-linux-gnu-gcc",), ("qemu-aarch64-static",), "aapcs64"),
}

pytestmark = pytest.mark.skipif(
    os.environ.get("EPSILON_FOREIGN_BACKEND") not in (None, "", "ctypes"),
    reason="no backend takes part in a classification: compared in the run on ctypes",
)


@pytest.mark.parametrize("name", TARGETS)
def test_random_aggregates_travel_where_c_looks_for_them(name: str) -> None:
    target = usable(name)
    count, wrong = classified_wrongly(COUNT, SEED, target)
    assert not wrong, "\n\n".join(wrong[:5])
    assert count > 0.9 * COUNT


def test_a_wrong_class_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    target = usable("native")
    if target.convention != "sysv":
        pytest.skip("the wrong class is one of System V's")
    monkeypatch.setattr(classify_sysv, "_merge", lambda one, other: other)
    assert classified_wrongly(200, SEED, target)[1]


def usable(name: str) -> Target:
    target = TARGETS[name]
    for tool in (target.compiler[0], *target.runner[:1]):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
    return target
