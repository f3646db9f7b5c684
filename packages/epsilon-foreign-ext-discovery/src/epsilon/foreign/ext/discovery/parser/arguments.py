"""The command line that clang is given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from ..ir import ParseOptions
from ..libclang.locate import Installation
from ..search import package, system_dirs


class Arguments(NamedTuple):
    """Arguments for clang, and the folders that headers are searched in: the caller's, and the system's."""

    args: tuple[str, ...]
    include_dirs: tuple[str, ...]
    system_dirs: tuple[str, ...]


def arguments(options: ParseOptions, installation: Installation, headers: Sequence[str] = ()) -> Arguments:
    """The arguments for `options`, and for headers that are given by their paths.

    Raises PackageNotFoundError for names that pkg-config has no file of.
    """
    packages = [package(name) for name in options.pkg_config]
    system = system_dirs()
    known = {os.path.realpath(folder) for folder in system}
    include = [*options.include_dirs, *(folder for each in packages for folder in each.include_dirs)]
    # The system's folders are searched in the system's order: naming one of them would move it to the front.
    include = [folder for folder in dict.fromkeys(include) if os.path.realpath(folder) not in known]
    defines = [*(define for each in packages for define in each.defines), *options.defines]
    args = ["-x", options.language, f"-std={options.standard or _STANDARD[options.language]}"]
    args += _compiler_headers(installation, options.language)
    args += [word for folder in include for word in ("-I", folder)]
    # What a header includes may be relative to its own folder; that is searched last, so it hides nothing.
    for folder in dict.fromkeys(os.path.dirname(header) for header in headers):
        args += ["-iquote", folder, "-idirafter", folder]
    args += [f"-D{define}" for define in defines]
    args += [word for each in packages for word in each.args]
    args += [
        "-fparse-all-comments",
        "-fretain-comments-from-system-headers",
        "-ferror-limit=0",
        "-Wno-everything",
        "-fno-caret-diagnostics",
    ]
    args += options.args
    return Arguments(tuple(args), tuple(include), _searched(system, installation))


#: GNU's dialects: system headers are written for them.
_STANDARD = {"c": "gnu17", "c++": "gnu++17"}


def _compiler_headers(installation: Installation, language: str) -> Sequence[str]:
    args = []
    if installation.resource is not None and installation.is_clangs:
        args += ["-resource-dir", str(installation.resource)]
    elif installation.resource is not None:
        args += ["-idirafter", str(installation.resource / "include")]
    # clang's driver knows the usual folders; this is for a machine where only a compiler knew them.
    args += [word for folder in system_dirs() if folder not in _DRIVER for word in ("-idirafter", folder)]
    if language == "c++" and installation.libcxx is not None and not os.path.isdir("/usr/include/c++"):
        args += ["-nostdinc++", "-isystem", str(installation.libcxx)]
    return args


_DRIVER = ("/usr/local/include", "/usr/include")


def _searched(system: Sequence[str], installation: Installation) -> tuple[str, ...]:
    own = [str(installation.resource / "include")] if installation.resource is not None else []
    return (*own, *system)
