"""The examples of the READMEs do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
PROMISE = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)


@pytest.mark.parametrize("readme", ["README.md", "packages/epsilon-foreign-api/README.md"])
def test_a_readme_example_prints_what_its_comments_promise(
    readme: str, root: Path, tmp_path: Path, run_python
) -> None:
    (example, *_) = EXAMPLE.findall((root / readme).read_text(encoding="utf-8"))
    promised = PROMISE.findall(example)
    assert promised, "the example promises no output"
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    done = run_python(script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == promised


def test_the_examples_of_the_platform_extension_run(root: Path, tmp_path: Path, run_python) -> None:
    readme = root / "packages/epsilon-foreign-ext-platform/README.md"
    script = tmp_path / "example.py"
    script.write_text("\n".join(EXAMPLE.findall(readme.read_text(encoding="utf-8"))), encoding="utf-8")
    done = run_python(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
