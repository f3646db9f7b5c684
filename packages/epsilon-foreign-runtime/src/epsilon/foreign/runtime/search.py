"""Finding a library by the name a person would say: a path, a file name, or a short name such as ``m``.

No subprocess. A short name becomes the file names that the platform gives libraries; the loader is asked for
each in turn, and on Linux the directories it searches are read for versioned names (``libz.so.1`` where no
development package has put a ``libz.so``), as ld.so(8) describes them. Where the loader is given a text file,
which is how development packages split a library (``libc.so``), the libraries that the text names are tried.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

from epsilon.foreign.backend import Backend

from .errors import LibraryError
from .linkerscript import is_text, linker_script_targets

#: Takes a short name and yields further paths to try; see `register_finder`.
Finder = Callable[[str], Iterator[str]]
_finders: list[Finder] = []
#: Other distributions give finders by this group of entry points.
ENTRY_POINTS = "epsilon_foreign.finders"
_installed: list[Finder] | None = None

_ELF = sys.platform not in ("win32", "darwin", "cygwin")


def register_finder(finder: Finder) -> Finder:
    """Let `finder` propose paths (str) for short names (str), before the built-in search.

    Returns it, so it can decorate. A distribution may give one by the entry point group
    ``epsilon_foreign.finders`` (``name = "module:finder"``), which is asked after the built-in search.
    """
    _finders.append(finder)
    return finder


def unregister_finder(finder: Finder) -> None:
    """Forget a finder. Raises ValueError when it is not registered."""
    _finders.remove(finder)


def open_library(name: str | None, backend: Backend, flags: int | None = None) -> tuple[int, str | None]:
    """Open `name` and return its handle and the name the loader took.

    None is the process itself. Raises LibraryError with everything that was tried and the loader's answer to
    each.
    """
    if name is None:
        return backend.dlopen(None, flags), None
    if not name or "\0" in name:
        raise LibraryError(f"{name!r} cannot be the name of a library")
    tried: dict[str, str] = {}
    for candidate in _with_scripts(candidates(name)):
        if candidate in tried:
            continue
        try:
            return backend.dlopen(candidate, flags), candidate
        except OSError as error:
            tried[candidate] = _explained(candidate, str(error))
    raise LibraryError(_refusal(name, tried))


def candidates(name: str) -> Iterator[str]:
    """What to ask the loader for, in order."""
    if is_path(name):
        yield name
        return
    if is_file_name(name):
        yield name
        yield from _in_directories(name)
        return
    for finder in tuple(_finders):
        yield from finder(name)
    prefix, suffix = _AFFIXES.get(sys.platform, ("lib", ".so"))
    yield f"{prefix}{name}{suffix}"
    yield f"{name}{suffix}"
    if sys.platform == "darwin":
        yield f"/System/Library/Frameworks/{name}.framework/{name}"
    elif _ELF:
        yield from _in_directories(f"lib{name}.so")
    for finder in _installed_finders():
        if finder not in _finders:
            yield from finder(name)


def _installed_finders() -> list[Finder]:
    """The finders of installed distributions: asked last, since reading the entry points takes long.

    One that cannot be imported is passed over with a RuntimeWarning.
    """
    global _installed
    if _installed is None:
        from importlib.metadata import entry_points

        found: list[Finder] = []
        for point in entry_points(group=ENTRY_POINTS):
            try:
                found.append(point.load())
            except Exception as error:
                import warnings

                warnings.warn(
                    f"the library finder {point.name} does not load: {error}", RuntimeWarning, stacklevel=2
                )
        _installed = found
    return _installed


def is_path(name: str) -> bool:
    """Does `name` say where the file is?"""
    return os.sep in name or (os.altsep is not None and os.altsep in name)


_AFFIXES = {"darwin": ("lib", ".dylib"), "win32": ("", ".dll"), "cygwin": ("cyg", ".dll")}
_SUFFIXES = (".so", ".dylib", ".dll")


def is_file_name(name: str) -> bool:
    """Does `name` end as files of libraries do: ``libm.so``, ``libm.so.6``, ``m.dylib``, ``m.dll``?"""
    return name.endswith(_SUFFIXES) or bool(name.rpartition(".so.")[1])


def _with_scripts(names: Iterator[str]) -> Iterator[str]:
    """Each name, and after one that is a linker script the libraries that it stands for."""
    for name in names:
        yield name
        if is_path(name):
            yield from linker_script_targets(name)


def _in_directories(file_name: str) -> Iterator[str]:
    """``libNAME.so`` and ``libNAME.so.*`` in the loader's directories, the newest version first in each.

    The loader has looked there itself, but for versions, and for LD_LIBRARY_PATH as it was when the process
    began.
    """
    if not _ELF:
        return
    for directory in directories():
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        if file_name in names:
            yield os.path.join(directory, file_name)
        versioned = [name for name in names if name.startswith(f"{file_name}.")]
        for name in sorted(versioned, key=_version, reverse=True):
            yield os.path.join(directory, name)


def _version(path: str) -> list[int]:
    return [int(part) for part in path.rpartition(".so.")[2].split(".") if part.isdecimal()]


def directories() -> list[str]:
    """Where ld.so looks: LD_LIBRARY_PATH, /etc/ld.so.conf, the default directories.

    Existing ones, in order.
    """
    listed = [d for d in os.environ.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":") if d]
    listed += _configured("/etc/ld.so.conf", depth=0)
    triplet = getattr(sys.implementation, "_multiarch", "")
    for root in ("/lib", "/usr/lib"):
        listed += [f"{root}/{triplet}"] if triplet else []
        listed += [f"{root}64", root]
    return [d for d in dict.fromkeys(listed) if os.path.isdir(d)]


def _configured(path: str, depth: int) -> list[str]:
    """The directories of an ld.so.conf file, ``include`` lines followed (ldconfig(8))."""
    import glob

    listed: list[str] = []
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return listed
    for line in lines:
        words = line.partition("#")[0].split()
        if words[:1] == ["include"]:
            for pattern in words[1:] if depth < 8 else ():
                pattern = os.path.join(os.path.dirname(path), pattern)
                for included in sorted(glob.glob(pattern)):
                    listed += _configured(included, depth + 1)
        else:
            listed += [word for word in words if word.startswith("/")]
    return listed


def _explained(candidate: str, reason: str) -> str:
    """The loader's words, and what they do not say."""
    if is_path(candidate) and is_text(candidate):
        return f"{reason} (a text file, not a shared library)"
    return reason


def _refusal(name: str, tried: dict[str, str]) -> str:
    if list(tried) == [name]:
        return f"cannot load library {name!r}: {tried[name]}"
    lines = [f"cannot find library {name!r}; tried:"]
    lines += [f"  {candidate}: {reason}" for candidate, reason in tried.items()]
    if _ELF and not is_path(name):
        file_name = name if is_file_name(name) else f"lib{name}.so"
        lines.append(f"  {file_name} and {file_name}.* in {', '.join(directories())}")
    return "\n".join(lines)
