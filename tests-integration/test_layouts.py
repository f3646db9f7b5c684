"""The layout of random structs and unions equals the C compiler's, to the byte that C writes for every field.

EPSILON_FOREIGN_LAYOUTS is how many (5,000 by default), EPSILON_FOREIGN_LAYOUTS_SEED the first seed. A failure
shows the seed and the smallest declaration that still differs.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from layouts.comparison import compare
from layouts.target import Target

COUNT = int(os.environ.get("EPSILON_FOREIGN_LAYOUTS") or 5000)
SEED = int(os.environ.get("EPSILON_FOREIGN_LAYOUTS_SEED") or 1)
AARCH64 = Target(("aarch64-linux-gnu-gcc",), ("qemu-aarch64-static",), "aapcs64")

pytestmark = pytest.mark.skipif(
    os.environ.get("EPSILON_FOREIGN_BACKEND") not in (None, "", "ctypes"),
    reason="no backend takes part in a layout: compared in the run on ctypes",
)


def test_random_declarations_are_laid_out_as_the_compiler_does() -> None:
    target = Target()
    if not target.exists:
        pytest.skip(f"no C compiler {target.compiler[0]!r}")
    result = compare(COUNT, SEED, target)
    assert not result.differences, "\n\n".join(result.differences)
    assert result.types == COUNT and result.fields > 3 * COUNT


def test_random_declarations_are_laid_out_as_an_aarch64_compiler_does() -> None:
    needs_aarch64()
    result = compare(COUNT // 5, SEED, AARCH64)
    assert not result.differences, "\n\n".join(result.differences)
    assert result.types == COUNT // 5


def test_rules_of_another_target_are_found_out() -> None:
    needs_aarch64()
    wrong = Target(AARCH64.compiler, AARCH64.runner, "sysv")
    assert any("bit" not in d and " : " in d for d in compare(1000, SEED, wrong, 1).differences)


def needs_aarch64() -> None:
    for tool in (AARCH64.compiler[0], AARCH64.runner[0]):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
