"""The file names that a library may have, given what a person calls it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple


class FileNames(NamedTuple):
    """Names to look for, the preferred one first; with `versions`, each may be followed by ``.`` and a version."""

    stems: tuple[str, ...]
    versions: bool = True

    def plain(self) -> FileNames:
        """The names without versions."""
        return FileNames(self.stems, versions=False)

    def inside(self, directory: str) -> list[str]:
        """Those that are in a directory, as `among` has it. Raises OSError."""
        if not self.versions:  # no need to look at all the others
            return [stem for stem in self.stems if os.path.lexists(os.path.join(directory, stem))]
        prefixes = tuple(map(os.fsencode, self.stems))
        # A directory of libraries has thousands of names: all but a few are not even decoded.
        return self.among(
            [os.fsdecode(name) for name in os.listdir(os.fsencode(directory)) if name.startswith(prefixes)]
        )

    def among(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are meant: the bare name first, then versions from the newest down."""
        found: list[tuple[int, int, list[int], str]] = []
        for name in names:
            for rank, stem in enumerate(self.stems):
                if name == stem:
                    found.append((rank, 0, [], name))
                elif self.versions and name.startswith(f"{stem}."):
                    version = version_of(name[len(stem) + 1 :])
                    if version is not None:
                        found.append((rank, 1, [-part for part in version], name))
        return [name for *_, name in sorted(found)]

    def __str__(self) -> str:
        """``libm.so or libm.so.*``."""
        return " or ".join(f"{stem} or {stem}.*" if self.versions else stem for stem in self.stems)


def version_of(text: str) -> list[int] | None:
    """The numbers of ``1.2.13``; None for what is no version (``1.2.13.debug``)."""
    parts = text.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else None


def is_path(name: str) -> bool:
    """Does `name` say where the file is? The loader searches only for names without a slash."""
    return "/" in name


def is_file_name(name: str) -> bool:
    """Does `name` end as files of libraries do on ELF systems: ``libm.so``, ``libm.so.6``?"""
    return name.endswith(".so") or ".so." in name


def file_names(name: str) -> FileNames:
    """What ``m``, ``libm``, ``libm.so`` or ``libm.so.6`` may be called on ELF systems."""
    if is_file_name(name):
        return FileNames((name,), versions=name.endswith(".so"))
    return FileNames((f"lib{name}.so", f"{name}.so"))


def exactly(name: str) -> FileNames:
    """The one name by which a library is needed."""
    return FileNames((name,), versions=False)
