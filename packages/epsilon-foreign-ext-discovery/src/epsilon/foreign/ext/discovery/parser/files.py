"""The files of a unit: how one includes each, and whether it is one of the library's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .unit import Unit

#: Folders that headers of many libraries share, as glibc's of its public headers.
SHARED = frozenset({"", "sys", "bits", "net", "netinet", "arpa", "linux", "asm", "asm-generic", "gnu"})


class HeaderFile(NamedTuple):
    """A file as one includes it (``sys/socket.h``), and whether its declarations are to be taken."""

    name: str
    own: bool


class Files:
    """The files of one unit, by clang's handle.

    `mains` are the paths of the headers asked for. A header is own when it is one of them, when it matches one of
    `patterns`, or, without patterns, when it belongs to one of them: it lies in the same folder (``openssl/*``),
    in a folder of its name (``git2/*`` for ``git2.h``), has the beginning of its name (``pngconf.h``,
    ``bits/socket_type.h``), or is included by an own header with quotes.
    """

    def __init__(
        self,
        unit: Unit,
        mains: Sequence[str],
        include_dirs: Sequence[str],
        system_dirs: Sequence[str],
        patterns: Sequence[str],
    ) -> None:
        self.unit = unit
        self.patterns = patterns
        self._mains = {os.path.realpath(main) for main in mains} | set(mains)
        self._shared = {os.path.realpath(folder) for folder in system_dirs}
        private = [folder for folder in include_dirs if os.path.realpath(folder) not in self._shared]
        placed = [main for main in mains if os.path.isabs(main)]  # a text that was given has no neighbours
        above = [os.path.dirname(main) for main in placed]
        folders = {os.path.abspath(folder) for folder in (*include_dirs, *system_dirs)}
        folders |= {os.path.abspath(folder) for folder in above if not _inside(folder, folders)}
        self._folders = sorted(folders, key=len, reverse=True)
        self._private = {os.path.abspath(folder) for folder in private}
        self._private |= {os.path.abspath(folder) for folder in above if not _inside(folder, self._shared)}
        self._known: dict[int, HeaderFile] = {0: HeaderFile("", False)}
        self._quoted: set[int] = set()
        names = [self.name_of(main) for main in placed]
        # Debian has a library's folder twice, the second below that of the processor's headers.
        twins = {os.path.relpath(a, b) for a in private for b in self._shared if _inside(a, {b})}
        self._homes = {os.path.dirname(name) for name in names} | twins
        self._homes -= SHARED
        self._stems = tuple(PurePath(name).stem for name in names)

    def get(self, file: int) -> HeaderFile:
        """The file of a handle."""
        found = self._known.get(file)
        if found is None:
            path = self.unit.file_name(file)
            name = self.name_of(path)
            found = self._known[file] = HeaderFile(name, self._is_own(path, name) or file in self._quoted)
        return found

    def include(self, file: int, quoted: bool, included: int) -> None:
        """Note that one file includes another."""
        if quoted and included and not self.patterns and self.get(file).own:
            self._quoted.add(included)
            found = self._known.get(included)
            if found is not None:
                self._known[included] = found._replace(own=True)

    def name_of(self, path: str) -> str:
        """How one includes the file at `path`: relative to the innermost folder that is searched."""
        full = os.path.abspath(path)
        for folder in self._folders:
            if full.startswith(folder + os.sep):
                return full[len(folder) + 1 :].replace(os.sep, "/")
        return os.path.basename(path)

    def _is_own(self, path: str, name: str) -> bool:
        if path in self._mains or os.path.realpath(path) in self._mains:
            return True
        if self.patterns:
            return any(fnmatchcase(name, pattern) for pattern in self.patterns)
        full = os.path.abspath(path)
        if any(full.startswith(folder + os.sep) for folder in self._private):
            return True
        folder, base = os.path.split(name)
        if folder and any(_within(folder, home) for home in self._homes):
            return True
        if not _inside(os.path.dirname(full), self._shared):
            return False
        if any(_within(folder, stem) for stem in self._stems):
            return True
        return folder in SHARED and any(len(stem) > 2 and base.startswith(stem) for stem in self._stems)


def _inside(folder: str, roots: set[str]) -> bool:
    full = os.path.abspath(folder)
    return any(full == root or full.startswith(root + os.sep) for root in roots)


def _within(folder: str, home: str) -> bool:
    return folder == home or folder.startswith(home + "/")
