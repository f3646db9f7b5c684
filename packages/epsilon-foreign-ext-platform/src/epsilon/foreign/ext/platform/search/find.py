"""What people call: the path of a library, or the story of the search for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from epsilon.foreign.api import ArgumentTypeError

from ..errors import UnsupportedPlatformError
from ..loaded.libraries import loaded_names
from .explanation import Explanation, Step
from .linux import Search
from .names import file_names, is_path
from .situation import present

Name = str | bytes | os.PathLike[str] | os.PathLike[bytes]


def find_library(name: Name, *, caller: Name | None = None) -> str | None:
    """The path of the library that opening `name` would load, found as the dynamic loader finds it; None for none.

    `name` is short (``m``, ``ssl``), a file name (``libm.so.6``) or a path. In each place that ld.so(8) lists the plain
    name goes before versions, and the newest version before older ones; a library that is loaded already goes before
    all. What would not load, for whatever reason `explain_search` gives, is passed over. `caller` is the library in
    whose name is looked, whose DT_RUNPATH or DT_RPATH counts; by default it is the part of Python that calls the
    loader. LD_LIBRARY_PATH counts as it is now; the loader itself knows it as it was when the process began, so open
    the path that is returned rather than the name.

    Runs no program. Raises UnsupportedPlatformError on systems other than Linux, ArgumentTypeError for a name that is
    none, and OSError or ElfError when `caller` cannot be read.
    """
    return next((step.path for step in _steps(_text(name), caller, thorough=False) if step.accepted), None)


def explain_search(name: Name, *, caller: Name | None = None) -> Explanation:
    """Where `find_library` looks for `name`, what it finds there and what is wrong with it. Raises as that does."""
    text = _text(name)
    steps = tuple(_steps(text, caller, thorough=True))
    found = next((step.path for step in steps if step.accepted), None)
    return Explanation(text, found, text if is_path(text) else str(file_names(text)), steps)


def _steps(name: str, caller: Name | None, *, thorough: bool) -> Iterator[Step]:
    if not sys.platform.startswith("linux"):
        raise UnsupportedPlatformError(
            f"the search for libraries has been proven on Linux only, not on {sys.platform}; "
            "epsilon.foreign.api.Library has a simpler one"
        )
    if not name or "\0" in name:
        return iter((Step("name", "", None, f"{name!r} cannot be the name of a library"),))
    try:
        loaded = tuple(loaded_names())
    except UnsupportedPlatformError:
        loaded = ()
    situation = present(None if caller is None else _text(caller), loaded)
    return Search(situation, thorough=thorough).steps(name)


def _text(name: Name) -> str:
    try:
        return os.fsdecode(name)
    except TypeError:
        raise ArgumentTypeError(
            f"a library's name or path (str, bytes or a path) is expected, not {type(name).__name__}"
        ) from None
