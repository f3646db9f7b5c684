"""The search rules of systems other than this one, as lists of paths."""

from __future__ import annotations

from . import macos, windows
from .macos import MacProcess
from .windows import WindowsProcess

__all__ = ["MacProcess", "WindowsProcess", "search_order"]


def search_order(name: str, process: MacProcess | WindowsProcess) -> list[tuple[str, str]]:
    """What the loader of macOS or Windows would try for `name`: pairs of a rule and a path, in order.

    For packaging and for reading reports from there: the rules run on any system, and look at no file.
    """
    if isinstance(process, MacProcess):
        return list(macos.paths_tried(name, process))
    return list(windows.paths_tried(name, process))
