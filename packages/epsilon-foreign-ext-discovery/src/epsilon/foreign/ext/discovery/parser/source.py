"""What clang is given: a main text that includes the headers asked for, or C text as it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple, TypeAlias

from ..errors import HeaderError, HeaderNotFoundError

Header: TypeAlias = str | os.PathLike[str]

#: What C text need not include by itself, as programs that hold prototypes do not; those that this machine has.
PRELUDE = ("stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "sys/types.h")

#: The names of a text that includes headers, and of one that was given.
MAIN, TEXT = "epsilon_foreign_main", "cdef"


class Source(NamedTuple):
    """A main text by its name; `names` are the headers as they are recorded, `paths` those given as files."""

    main: str
    text: str
    names: tuple[str, ...]
    paths: tuple[str, ...] = ()
    prelude: tuple[str, ...] = ()


def header_source(header: Header | Sequence[Header]) -> Source:
    """A text that includes headers: files by their path, others as the compiler finds them.

    Raises HeaderNotFoundError for a path that is no file, HeaderError for a name that no ``#include`` can hold.
    """
    headers = [header] if isinstance(header, (str, os.PathLike)) else list(header)
    if not headers:
        raise HeaderError("no header was given")
    names, paths, lines = [], [], []
    for each in headers:
        name = os.fspath(each)
        path = Path(name)
        if path.is_file():
            full = os.path.abspath(name)
            _check(full, '"')
            lines.append(f'#include "{full}"')
            paths.append(full)
            names.append(path.name)
        elif isinstance(each, PurePath) or path.is_absolute() or name.startswith("."):
            raise HeaderNotFoundError(f"there is no header {name}")
        else:
            _check(name, ">")
            lines.append(f"#include <{name}>")
            names.append(name)
    return Source(MAIN, "\n".join([*lines, ""]), tuple(names), tuple(paths))


def text_source(text: str) -> Source:
    """C text as if it stood in a header named ``cdef``."""
    return Source(TEXT, text, (TEXT,), prelude=PRELUDE)


def _check(name: str, end: str) -> None:
    if any(sign in name for sign in (end, "\n", "\r", "\0")):
        raise HeaderError(f"a header's name cannot contain {end!r} or the end of a line: {name!r}")


def found_paths(names: Iterable[str], folders: Iterable[str]) -> tuple[str, ...]:
    """Where headers that were given by name are found, for those that are in one of the folders."""
    searched = list(folders)
    found = []
    for name in names:
        candidates = (os.path.join(folder, name) for folder in searched)
        path = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
        if path is not None:
            found.append(path)
    return tuple(found)
