"""Looking at what is loaded and what libraries export."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from epsilon.foreign.api import Library, c

from ..errors import PlatformError
from ..loaded.addresses import symbol_at
from ..loaded.exports import exported_symbols
from ..loaded.libraries import loaded_libraries
from ..loaded.namespaces import namespace
from ..search.find import find_library
from ..system_errors import keep_error
from . import Row
from .timing import in_turns


def measure(quick: bool) -> Iterator[Row]:
    """One row a function."""
    library = find_library("c")
    address = loaded_libraries()[0].address
    subjects: dict[str, Callable[[], object]] = {
        "loaded_libraries()": loaded_libraries,
        "symbol_at(address)": lambda: symbol_at(address),
        "find_library('c') again": lambda: find_library("c"),
    }
    if library is not None:
        subjects["exported_symbols of the C library"] = lambda: exported_symbols(library)
    subjects.update(_calls())
    for what, seconds in in_turns(subjects, 5 if quick else 31, 10).items():
        yield Row("inspecting", what, seconds)


def _calls() -> dict[str, Callable[[], object]]:
    """A call in a namespace, guarded and not, and one whose errno is kept; none where there are no namespaces."""
    found: dict[str, Callable[[], object]] = {}
    absolute = ("abs", c.int, [c.int])
    try:
        for guarded, what in ((True, "abs(1) in a namespace"), (False, "abs(1) in a namespace, not guarded")):
            function = namespace(guarded=guarded).library("libc.so.6").bind(*absolute)
            found[what] = functools.partial(function, 1)
    except PlatformError:
        pass
    kept = Library(None).bind(*absolute, check=keep_error)
    return {**found, "abs(1), its errno kept": functools.partial(kept, 1)}
