"""The search of this package behind `Library`, by way of the registry that the runtime has for finders.

Where this distribution is installed, the runtime asks `paths` before it gives up on a short name: it finds it by the
entry point. `install_finder` has it asked first.
"""

from __future__ import annotations

from collections.abc import Iterator

from epsilon.foreign.api import register_finder, unregister_finder

from ..errors import UnsupportedPlatformError
from .find import find_library


def paths(name: str) -> Iterator[str]:
    """The path that `find_library` gives, where it gives one."""
    try:
        path = find_library(name)
    except UnsupportedPlatformError:
        return
    if path is not None:
        yield path


_installed: list[bool] = []


def install_finder() -> None:
    """Let `Library` and `shared` look for short names by `find_library` first. Twice is as good as once."""
    if not _installed:
        register_finder(paths)
        _installed.append(True)


def uninstall_finder() -> None:
    """Undo `install_finder`; without it nothing happens."""
    if _installed:
        _installed.clear()
        unregister_finder(paths)
