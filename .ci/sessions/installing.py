"""What goes into a session's environment, and what its interpreter cannot have."""

from __future__ import annotations

import re
from pathlib import Path

import nox

from .interpreters import Interpreter, ask
from .project import FAMILY, PACKAGES

#: Extras that bring cffi, which some builds of CPython cannot install.
WITH_CFFI = ("libffi", "peers")


def installed_interpreter(session: nox.Session) -> Interpreter:
    """The interpreter of the session's environment."""
    answer = ask(Path(session.bin, "python"))
    if isinstance(answer, str):
        session.error(f"the session's interpreter does not serve: {answer}")
    return answer


def possible_extras(session: nox.Session, *extras: str) -> tuple[str, ...]:
    """Those of `extras` that the session's interpreter can have."""
    refused = () if installed_interpreter(session).has_cffi else WITH_CFFI
    return tuple(extra for extra in extras if extra not in refused)


def install(session: nox.Session, *arguments: str) -> None:
    """Install with the session's installer, other people's packages as wheels only.

    Where the newest release has no wheel for the interpreter, an older one that has serves: no compiling.
    """
    session.install("-q", *(part for name in others() for part in ("--only-binary", name)), *arguments)


def install_everything(session: nox.Session, *extras: str) -> None:
    """Install every package with those of `extras` that it offers and the interpreter can have."""
    wanted = possible_extras(session, *extras)
    install(session, *(package.requirement(*wanted) for package in PACKAGES.values()))


def others() -> list[str]:
    """The names of the packages from elsewhere that those of this repository ask for, extras included."""
    tables = (package.project for package in PACKAGES.values())
    lists = (asked for table in tables for asked in table.get("optional-dependencies", {}).values())
    names = {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for asked in lists for requirement in asked}
    return sorted(name for name in names if not name.startswith(FAMILY))
