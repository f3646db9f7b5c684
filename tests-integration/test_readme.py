"""The examples of the READMEs do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

#: Headers that examples name, which not every machine has.
HEADER = re.compile(r'discovery\.bind\("([\w.]+)"')
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
PROMISE = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
ROOT = Path(__file__).resolve().parents[1]
READMES = [
    "README.md",
    "packages/epsilon-foreign-api/README.md",
    "packages/epsilon-foreign-ext-discovery/README.md",
]


def examples() -> list[tuple[str, str]]:
    """The Python blocks of the READMEs, with where they stand."""
    found = [(name, EXAMPLE.findall((ROOT / name).read_text(encoding="utf-8"))) for name in READMES]
    return [(f"{name}:{index}", text) for name, texts in found for index, text in enumerate(texts)]


@pytest.mark.parametrize("example", [text for _, text in examples()], ids=[name for name, _ in examples()])
def test_a_readme_example_prints_what_its_comments_promise(example: str, tmp_path: Path, run_python) -> None:
    for header in HEADER.findall(example):
        if not Path("/usr/include", header).is_file():
            pytest.skip(f"the example binds {header}, which is not installed")
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
