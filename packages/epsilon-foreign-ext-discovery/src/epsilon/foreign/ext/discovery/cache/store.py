"""Entries of the cache: one file for each header with its options, valid while all that was read is unchanged.

An entry's name says what was asked: headers, options, clang's arguments, libclang and this package. Its first line has
a digest of every file that was included, and one of the rest, which is a binding file. An entry that does not hold, or
cannot be read, is as good as none. Entries appear whole (`write_whole`), so processes need no locks.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..__about__ import __version__
from ..errors import DiscoveryError
from ..file.decode import decode
from ..file.encode import encode, write_whole
from ..ir import VERSION, Binding
from .folder import cache_folder

#: Entries that are kept; the least recently made go first.
ENTRIES = 300


class Fingerprint(NamedTuple):
    """What a parse depends on, before any file is read."""

    text: str
    args: tuple[str, ...]
    options: object
    libclang: Path
    folders: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of the entry."""
        parts = [
            __version__,
            str(VERSION),
            _package(),
            self.text,
            os.getcwd(),  # relative folders are searched from here
            *self.args,
            repr(self.options),
            _stamp(self.libclang),
            # A header that appears in front of another one changes what is included.
            *(f"{folder} {_changed(folder)}" for folder in self.folders),
        ]
        return _digest("\0".join(parts).encode("utf-8", "surrogateescape"))


class Store:
    """The cache in one folder, by default the user's."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder()

    def get(self, fingerprint: Fingerprint) -> Binding | None:
        """The binding of an entry that holds."""
        path = self._path(fingerprint)
        try:
            with open(path, "rb") as file:
                if not _is_ours(file.fileno()):
                    return None
                head = json.loads(file.readline())
                if not all(_file_digest(name) == digest for name, digest in head["files"].items()):
                    return None
                body = file.read()
            if _digest(body) != head["body"]:
                return None
            return decode(body.decode("utf-8"), name=str(path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, DiscoveryError):
            return None

    def put(self, fingerprint: Fingerprint, files: Mapping[str, bytes], binding: Binding) -> None:
        """Keep a binding that was made of `files`, contents by path. A folder that cannot be written to is no error."""
        body = encode(binding)
        head = {
            "body": _digest(body.encode()),
            "files": {name: _digest(contents) for name, contents in files.items()},
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self._path(fingerprint), json.dumps(head) + "\n" + body)
            self._forget_oldest()
        except (OSError, UnicodeError):
            return

    def _path(self, fingerprint: Fingerprint) -> Path:
        return self.folder / f"{fingerprint.key}.binding"

    def _forget_oldest(self) -> None:
        entries = [entry for entry in os.scandir(self.folder) if entry.name.endswith(".binding")]
        if len(entries) <= ENTRIES:
            return
        entries.sort(key=lambda entry: entry.stat().st_mtime)
        for entry in entries[: len(entries) - ENTRIES]:
            os.unlink(entry.path)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=20).hexdigest()


def _file_digest(name: str) -> str:
    with open(name, "rb") as file:
        return _digest(file.read())


def _is_ours(handle: int) -> bool:
    """Only files of this user, or of the administrator, are believed."""
    return not hasattr(os, "getuid") or os.fstat(handle).st_uid in (0, os.getuid())


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return str(path)
    return f"{path} {found.st_size} {found.st_mtime_ns}"


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@functools.cache
def _package() -> str:
    """The files of this package that decide what a parse finds: an edited one makes all entries void."""
    root = Path(__file__).parent.parent
    return " ".join(
        _stamps(root / folder for folder in ("", "ir", "file", "libclang", "naming", "parser", "search"))
    )


def _stamps(folders: Iterable[Path]) -> list[str]:
    found = []
    for folder in folders:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.endswith(".py"):
                found.append(f"{entry.name} {entry.stat().st_size} {entry.stat().st_mtime_ns}")
    return found
