"""The rules of macOS's dyld(1): which paths are tried for a name, in which order.

Pure rules over names, an environment and folders, which run anywhere; whether a file is there, and the shared cache in
which macOS keeps its own libraries, are for the system to say.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import NamedTuple

#: What dyld looks into last where the environment does not say otherwise.
FALLBACK_LIBRARIES = ("/usr/local/lib", "/usr/lib")
FALLBACK_FRAMEWORKS = ("/Library/Frameworks", "/System/Library/Frameworks")
_FRAMEWORK = ".framework/"


class MacProcess(NamedTuple):
    """A process on macOS, as far as the rules ask.

    `executable` and `loader` are the paths of the program and of the library in whose name is looked; `rpaths` are the
    LC_RPATH entries of that library and of those that loaded it, the nearest first. For a `restricted` process (of the
    system, or with entitlements) the environment does not count.
    """

    environment: Mapping[str, str] = {}
    executable: str = ""
    loader: str = ""
    rpaths: tuple[str, ...] = ()
    restricted: bool = False

    def paths(self, variable: str, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The folders of an environment variable, or `otherwise` where it is not set."""
        value = "" if self.restricted else self.environment.get(variable, "")
        return tuple(value.split(":")) if value else otherwise

    def expand(self, path: str) -> str:
        """``@executable_path/..`` and ``@loader_path/..`` with the folders they stand for."""
        for token, of in (("@executable_path/", self.executable), ("@loader_path/", self.loader)):
            if path.startswith(token):
                return posixpath.join(posixpath.dirname(of), path.removeprefix(token))
        return path


def paths_tried(name: str, process: MacProcess) -> Iterator[tuple[str, str]]:
    """Each path that dyld tries for a name, after the rule that leads to it."""
    for wanted in _file_names(name):
        yield from _tried(wanted, process)


def _file_names(name: str) -> list[str]:
    """A path or a file name as it is; a short name as a library's and as a framework's."""
    if "/" in name or name.endswith((".dylib", ".so", ".tbd")):
        return [name]
    return [f"lib{name}.dylib", f"{name}.dylib", f"{name}.framework/{name}"]


def _tried(wanted: str, process: MacProcess) -> Iterator[tuple[str, str]]:
    framework = _in_framework(wanted)
    leaf = posixpath.basename(wanted)
    if framework is not None:
        for folder in process.paths("DYLD_FRAMEWORK_PATH"):
            yield "DYLD_FRAMEWORK_PATH", posixpath.join(folder, framework)
    for folder in process.paths("DYLD_LIBRARY_PATH"):
        yield "DYLD_LIBRARY_PATH", posixpath.join(folder, leaf)
    if wanted.startswith("@rpath/"):
        for rpath in process.rpaths:
            yield "LC_RPATH", posixpath.join(process.expand(rpath), wanted.removeprefix("@rpath/"))
    elif wanted.startswith("/") or "@" in wanted[:1]:
        yield "path", process.expand(wanted)
    if framework is not None:
        for folder in process.paths("DYLD_FALLBACK_FRAMEWORK_PATH", FALLBACK_FRAMEWORKS):
            yield "DYLD_FALLBACK_FRAMEWORK_PATH", posixpath.join(folder, framework)
    else:
        for folder in process.paths("DYLD_FALLBACK_LIBRARY_PATH", FALLBACK_LIBRARIES):
            yield "DYLD_FALLBACK_LIBRARY_PATH", posixpath.join(folder, leaf)


def _in_framework(path: str) -> str | None:
    """``Foo.framework/Versions/A/Foo`` of a path into a framework; None of any other."""
    before, found, after = path.rpartition(_FRAMEWORK)
    name = posixpath.basename(before)
    return f"{name}{found}{after}" if found and posixpath.basename(after) == name else None
