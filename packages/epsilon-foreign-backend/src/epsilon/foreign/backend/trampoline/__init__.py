"""The trampoline backend: one stub of machine code per signature, generated in pure Python.

The folder, from the bottom up: `assembler` encodes instructions; `machine` is the small set of operations
that every processor offers; `conventions` say where arguments travel; `cpython` knows the interpreter's C-API
and object layout; `codegen` writes stubs over all of these; `memory` makes them executable; `record` is the
function that people call; `stubs` caches, `fallback` does the rest, `backend` ties them together.

Importing this does nothing; `create` looks at the machine, and `disassemble`, `statistics` and
`enable_perf_map` show what was made there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backend import TrampolineBackend
    from .listing import disassemble, enable_perf_map, statistics

__all__ = ["create", "disassemble", "enable_perf_map", "statistics"]


def create() -> TrampolineBackend:
    """The backend. Raises BackendUnavailableError where no stub can be made or run, with the reason.

    Where the environment variable EPSILON_FOREIGN_PERF_MAP is set, it writes a map for Linux `perf`.
    """
    from . import perfmap
    from .backend import TrampolineBackend

    backend = TrampolineBackend()
    perfmap.enable_if_wanted(backend.stubs.heap)
    return backend


def __getattr__(name: str) -> Any:
    # Functions for people who look at stubs; programs that only call them need not load all that.
    if name in ("disassemble", "enable_perf_map", "statistics"):
        from . import listing

        return getattr(listing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
