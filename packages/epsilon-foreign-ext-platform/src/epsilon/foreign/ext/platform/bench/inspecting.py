"""Looking at what is loaded and what libraries export."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..loaded.addresses import symbol_at
from ..loaded.exports import exported_symbols
from ..loaded.libraries import loaded_libraries
from ..search.find import find_library
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
    for what, seconds in in_turns(subjects, 5 if quick else 31).items():
        yield Row("inspecting", what, seconds)
