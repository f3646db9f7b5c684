"""No source file passes 500 lines: what grows beyond holds more than one concept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 500
SUFFIXES = {".py", ".pyi", ".c", ".h", ".cpp", ".pyx", ".toml", ".sh", ""}


def sources(root: Path) -> list[Path]:
    """The source files that git tracks or would track."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (root / name for name in listing.split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix in SUFFIXES]


def too_long(paths: list[Path]) -> list[tuple[Path, int]]:
    """The files over the limit with their line counts."""
    counted = ((path, len(path.read_bytes().splitlines())) for path in paths)
    return [(path, lines) for path, lines in counted if lines > LIMIT]


if __name__ == "__main__":
    found = sources(ROOT)
    findings = too_long(found)
    for path, lines in findings:
        print(f"{path.relative_to(ROOT)}: {lines} lines, {LIMIT} at most")
    print(f"source_size: {len(found)} files, {len(findings)} over {LIMIT} lines")
    sys.exit(bool(findings) or not found)
