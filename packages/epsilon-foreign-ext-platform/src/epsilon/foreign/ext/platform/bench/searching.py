"""Finding a library, in a process that has not yet looked for one, beside `ctypes.util.find_library`."""

from __future__ import annotations

from collections.abc import Iterator

from . import Row
from .timing import cold

#: Loaded in every Python, of the system with needs of its own, absent.
NAMES = ("c", "m", "z", "ssl", "no-such-library")
GOAL = 0.002

_OURS = "from epsilon.foreign.ext.platform import find_library\ncall = lambda: find_library({name!r})"
_THEIRS = "call = lambda: ctypes.util.find_library({name!r})"


def measure(quick: bool) -> Iterator[Row]:
    """One row a name."""
    for name in NAMES[1:3] if quick else NAMES:
        setups = {"ours": _OURS.format(name=name), "ctypes": _THEIRS.format(name=name)}
        taken = cold(setups, 5 if quick else 15)
        what = f"find_library({name!r}), the first time"
        yield Row("searching", what, taken["ours"], GOAL, "ctypes.util", taken["ctypes"])
