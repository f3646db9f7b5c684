"""What pkg-config would say of a package, read from its ``.pc`` files (https://people.freedesktop.org/~dbn/pkg-config-guide.html).

The program itself is not needed: a file is a list of variables and fields, and the packages that it requires.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import PackageNotFoundError

_VARIABLE = re.compile(r"\$\{(\w[\w.]*)\}")
_LINE = re.compile(r"([\w.]+)\s*([=:])\s*(.*)")
_PREFIXES = ("/usr/local", "/usr", "/opt/homebrew", "/opt/local")
#: A requirement: names separated by white space or commas, each perhaps with a comparison.
_REQUIRED = re.compile(r"([^\s,<>=!]+)(?:\s*(?:[<>!]=|[<>=])\s*[^\s,]+)?")


class Package(NamedTuple):
    """What compiling and linking against a package needs."""

    name: str
    include_dirs: tuple[str, ...]
    defines: tuple[str, ...]
    args: tuple[str, ...]
    libraries: tuple[str, ...]
    library_dirs: tuple[str, ...]
    version: str = ""


def package(name: str) -> Package:
    """The package `name` with all that it requires. Raises PackageNotFoundError, which lists the folders."""
    cflags: list[str] = []
    libs: list[str] = []
    fields = _read(name)
    for each, linked in _closure(name, fields):
        cflags += shlex.split(each.get("Cflags", each.get("CFlags", "")))
        if linked:
            libs += shlex.split(each.get("Libs", ""))
    include, defines, args = _compile_flags(cflags)
    return Package(
        name,
        include,
        defines,
        args,
        tuple(dict.fromkeys(word[2:] for word in libs if word.startswith("-l"))),
        tuple(dict.fromkeys(word[2:] for word in libs if word.startswith("-L"))),
        fields.get("Version", ""),
    )


def _closure(name: str, fields: dict[str, str]) -> Iterator[tuple[dict[str, str], bool]]:
    """The fields of a package and of those it requires, each once, and whether one links against it."""
    seen = {name}
    pending = [(fields, True)]
    while pending:
        current, linked = pending.pop(0)
        yield current, linked
        for key in ("Requires", "Requires.private"):
            for required in _REQUIRED.findall(current.get(key, "")):
                if required in seen:
                    continue
                seen.add(required)
                try:
                    pending.append((_read(required), linked and key == "Requires"))
                except PackageNotFoundError:
                    if key == "Requires":  # what is private to it only matters to static linking
                        raise


def _compile_flags(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    include: dict[str, None] = {}
    defines: dict[str, None] = {}
    args: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-I", "-isystem", "-D"):
            word = ("-D" if word == "-D" else "-I") + next(rest, "")
        if word.startswith("-I"):
            include[word[2:]] = None
        elif word.startswith("-D"):
            defines[word[2:]] = None
        elif word != "-pthread":
            args.append(word)
    return tuple(include), tuple(defines), tuple(args)


def _read(name: str) -> dict[str, str]:
    """The fields of ``name.pc``, variables replaced."""
    path = Path(name) if name.endswith(".pc") else _find(name)
    if not path.is_file():
        raise PackageNotFoundError(f"there is no file {path}")
    # A variable that people pass a package's own sysroot with is not replaced: it is empty on a plain system.
    variables = {"pcfiledir": str(path.parent), "pc_sysrootdir": os.environ.get("PKG_CONFIG_SYSROOT_DIR", "")}
    fields: dict[str, str] = {}
    text = path.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
    for line in text.splitlines():
        match = _LINE.match(line.split("#", 1)[0].strip())
        if match is None:
            continue
        key, sign, value = match.groups()
        (variables if sign == "=" else fields)[key] = _replaced(value.strip(), variables)
    return fields


def _replaced(value: str, variables: dict[str, str]) -> str:
    # Variables are replaced as they are defined, so one pass does.
    return _VARIABLE.sub(lambda match: variables.get(match[1], ""), value)


def _find(name: str) -> Path:
    folders = list(_folders())
    for folder in folders:
        found = Path(folder, f"{name}.pc")
        if found.is_file():
            return found
    raise PackageNotFoundError(
        f"no package {name!r}: there is no {name}.pc in {', '.join(folders) or 'any folder'}; "
        "PKG_CONFIG_PATH names further ones"
    )


def _folders() -> Iterator[str]:
    """Where .pc files are, in pkg-config's order."""
    yield from filter(None, os.environ.get("PKG_CONFIG_PATH", "").split(os.pathsep))
    replaced = os.environ.get("PKG_CONFIG_LIBDIR")
    if replaced is not None:
        yield from filter(None, replaced.split(os.pathsep))
        return
    for prefix in dict.fromkeys((*_PREFIXES, sys.prefix)):
        for pattern in ("lib/*-linux-*/pkgconfig", "lib64/pkgconfig", "lib/pkgconfig", "share/pkgconfig"):
            yield from sorted(glob.glob(os.path.join(prefix, pattern)))
