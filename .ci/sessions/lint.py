"""`lint`: form, types, layers, and the repository's own rules."""

from __future__ import annotations

import nox

from .installing import install_everything
from .project import PACKAGES, ROOT

TOOLS = ("ruff>=0.9", "mypy>=1.14", "import-linter>=2.1", "nox>=2025.2.9")
CHECKS = ("source_size", "public_names", "readme_commands")


@nox.session
def lint(session: nox.Session) -> None:
    """Run ruff, mypy --strict, the import contracts and the checks of .ci/checks: all, then the verdict."""
    session.chdir(ROOT)
    session.install("-q", *TOOLS)
    install_everything(session, "libffi", "test")
    sources = [str(package.folder / "src") for package in PACKAGES.values()]
    commands = [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "--strict", *sources, ".ci", "noxfile.py"),
        ("lint-imports", "--no-cache"),
        *(("python", f".ci/checks/{check}.py") for check in CHECKS),
    ]
    failed = [command for command in commands if not passes(session, command)]
    if failed:
        session.error("; ".join(" ".join(command[:2]) for command in failed))


def passes(session: nox.Session, command: tuple[str, ...]) -> bool:
    """Run one check and say whether it passed, so that one run shows every finding."""
    try:
        session.run(*command)
    except nox.command.CommandFailed:
        return False
    return True
