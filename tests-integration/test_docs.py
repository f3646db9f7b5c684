"""The pages of ``docs`` do what they say: their Python blocks run, a page from top to bottom as one program.

A comment behind a ``print`` promises output. A block below ``<!-- file: name -->`` is written to that file. In
``console`` blocks the commands behind ``$`` are run, and must print what the page shows below them (see
`docs_console`). A block below ``<!-- not run: reason -->`` is not run, and the skipped test names it with the reason.
The READMEs' examples are run by ``test_readme``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w*)[ ]*$")
NOT_RUN = re.compile(r"^<!-- not run: (.+) -->$")
NAMED_FILE = re.compile(r"^<!-- file: (.+) -->$")
PROMISE = re.compile(r"^\s*print\(.*\)  # (.*)$")
#: What a loop prints, line by line, in the comments below its last statement.
PROMISED_LINE = re.compile(r"^    # (\w+\(\) .*)$")


class Block(NamedTuple):
    """A block on a page: its lines by number, why it is not run, if so, and the file that it is, if it is one."""

    page: Path
    language: str
    lines: dict[int, str]
    not_run: str = ""
    file: str = ""

    @property
    def label(self) -> str:
        """Where it begins."""
        return f"{self.page.relative_to(ROOT)}:{min(self.lines, default=0)}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    language, comment = None, ""
    lines: dict[int, str] = {}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if language is None and fence:
            language, lines = fence[1], {}
        elif fence:
            not_run, file = NOT_RUN.match(comment), NAMED_FILE.match(comment)
            yield Block(page, language or "", lines, not_run[1] if not_run else "", file[1] if file else "")
            language, comment = None, ""
        elif language is not None:
            lines[number] = line
        elif line.strip():
            comment = line


def program(page: Path) -> dict[int, str]:
    """The lines of the page that are run, by their numbers: Python as it stands, the rest as calls."""
    found: dict[int, str] = {}
    for block in blocks(page):
        if block.not_run:
            continue
        if block.file:
            text = "".join(f"{line}\n" for line in block.lines.values())
            found[min(block.lines)] = f"import docs_console; docs_console.write({block.file!r}, {text!r})"
        elif block.language == "python":
            found |= block.lines
        elif block.language == "console":
            found |= dict(commands(block))
    return found


def commands(block: Block) -> Iterator[tuple[int, str]]:
    """A call for each command of a console block."""
    shown: dict[int, list[str]] = {}
    for number, line in block.lines.items():
        if line.startswith("$ "):
            shown[number] = [line[2:]]
        elif shown:
            shown[max(shown)].append(line)
    for number, (command, *output) in shown.items():
        yield number, f"import docs_console; docs_console.run({command!r}, {chr(10).join(output).rstrip()!r})"


SKIPPED = [block for page in PAGES for block in blocks(page) if block.not_run and block.language == "python"]


@pytest.mark.parametrize("page", [page for page in PAGES if program(page)], ids=lambda page: page.name)
def test_a_page_runs_and_prints_what_it_promises(page: Path, tmp_path: Path, run_python) -> None:
    lines = program(page)
    script = tmp_path / f"{page.stem}.py"
    # At their own numbers, so that a traceback points into the page.
    text = "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1))
    script.write_text(text + "\n", encoding="utf-8")
    shutil.copy(Path(__file__).with_name("docs_console.py"), tmp_path)
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


def test_a_page_that_shows_another_output_is_found_out(tmp_path: Path, run_python) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: a.txt -->\n```c\none\ntwo\nthree\n```\n"
        "```console\n$ cat a.txt\none\n...\nth...\n$ echo four\nfive\n```\n"
    )
    lines = program(page)
    script = tmp_path / "page.py"
    script.write_text("\n".join(lines.values()), encoding="utf-8")
    shutil.copy(Path(__file__).with_name("docs_console.py"), tmp_path)
    done = run_python(script, cwd=tmp_path)
    assert done.returncode != 0 and "$ echo four\nfour\n--- is not what the page shows:\nfive" in done.stderr
