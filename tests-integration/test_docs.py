"""The pages of ``docs`` do what they say: their Python blocks run, a page from top to bottom as one program.

A comment behind a ``print`` promises output. A block below ``<!-- not run: reason -->`` is not run, and the
skipped test names it with the reason. The READMEs' examples are run by ``test_readme``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w*)[ ]*$")
NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
PROMISE = re.compile(r"^\s*print\(.*\)  # (.*)$")
#: What a loop prints, line by line, in the comments below its last statement.
PROMISED_LINE = re.compile(r"^    # (\w+\(\) .*)$")


class Block(NamedTuple):
    """A block of Python on a page: its lines by number, and why it is not run, if so."""

    page: Path
    lines: dict[int, str]
    not_run: str = ""

    @property
    def label(self) -> str:
        """Where it begins."""
        return f"{self.page.relative_to(ROOT)}:{min(self.lines, default=0)}"


def blocks(page: Path) -> Iterator[Block]:
    """The Python blocks of a page, in order."""
    language, reason = None, ""
    lines: dict[int, str] = {}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if language is None and fence:
            language, lines = fence[1], {}
        elif fence:
            if language == "python":
                yield Block(page, lines, reason)
            language, reason = None, ""
        elif language is not None:
            lines[number] = line
        elif line.strip():
            comment = NOT_RUN.match(line)
            reason = comment[1] if comment else ""


def program(page: Path) -> dict[int, str]:
    """The lines of the page that are run, by their numbers."""
    return {
        number: line for block in blocks(page) if not block.not_run for number, line in block.lines.items()
    }


SKIPPED = [block for page in PAGES for block in blocks(page) if block.not_run]


@pytest.mark.parametrize("page", [page for page in PAGES if program(page)], ids=lambda page: page.name)
def test_a_page_runs_and_prints_what_it_promises(page: Path, tmp_path: Path, run_python) -> None:
    lines = program(page)
    script = tmp_path / f"{page.stem}.py"
    # At their own numbers, so that a traceback points into the page.
    text = "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1))
    script.write_text(text + "\n", encoding="utf-8")
    done = run_python("-X", "utf8", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    promised = [
        match[1] for line in lines.values() if (match := PROMISE.match(line) or PROMISED_LINE.match(line))
    ]
    assert done.stdout.splitlines() == promised


def test_blocks_that_are_not_run_say_why() -> None:
    for block in SKIPPED:
        compile("\n".join(block.lines.values()), block.label, "exec")
    if SKIPPED:
        pytest.skip("; ".join(f"{block.label}: {block.not_run}" for block in SKIPPED))


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
