"""The README's commands are the ones that .ci/run runs, word for word."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.compile(r"^python3 noxfile\.py -s \w+$", re.MULTILINE)
EXPECTED = 2


def commands(text: str) -> list[str]:
    """The lines of a text that start a session, in order, each once."""
    return list(dict.fromkeys(COMMAND.findall(text)))


if __name__ == "__main__":
    promised = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    carried_out = commands((ROOT / ".ci/run").read_text(encoding="utf-8"))
    missing = [command for command in promised if command not in carried_out]
    for command in missing:
        print(f"README.md says `{command}`, .ci/run does not run it")
    if len(promised) != EXPECTED:
        print(f"README.md has {len(promised)} commands, {EXPECTED} are expected: {promised}")
    print(f"readme_commands: {len(promised)} commands, {len(missing)} not run")
    sys.exit(bool(missing) or len(promised) != EXPECTED)
