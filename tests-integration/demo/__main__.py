"""The demo: libraries of this machine called through every backend, every answer compared with Python's.

Run as ``python tests-integration/demo``; it needs no network and no header files. The exit code is 0 when
everything that could run agreed, 1 otherwise. A missing zlib or SQLite is reported and passed over; a missing
libm or libc is a failure.
"""

from __future__ import annotations

import platform
import sys
import time
from types import ModuleType

import compression
import cosines
import database
import environment
import epsilon.foreign.api as ffi
import timing
from epsilon.foreign.backend import backend_names

PARTS = (cosines, environment, compression, database)
#: Every system with a C library has these.
NEEDED = (cosines, environment)


def show_part(part: ModuleType, backends: list[str]) -> bool:
    """Run a part on every backend; True when nothing went wrong."""
    print(f"\n{part.TITLE}")
    try:
        library = ffi.Library(part.LIBRARY)
    except ffi.LibraryError as error:
        print(f"  passed over: {str(error).splitlines()[0].rstrip(';').replace('; tried:', '')}")
        return part not in NEEDED
    print(f"  {library.path or 'in this process'}")
    good = True
    for name in backends:
        good = show_run(part, name) and good
    return good


def show_run(part: ModuleType, backend: str) -> bool:
    """Run a part on one backend; True when nothing went wrong."""
    print(f"  {backend}")
    begin = time.perf_counter()
    try:
        with ffi.use_backend(backend), ffi.Library(part.LIBRARY) as library:
            for line in part.run(library):
                print(f"    {line}", flush=True)
    except Exception as error:
        print(f"    FAILED: {type(error).__name__}: {error}")
        return False
    print(f"    {time.perf_counter() - begin:.3f} s")
    return True


def local_backends() -> list[str]:
    """Those that call in this process. Through another one, a million short calls are no demonstration."""
    names = ffi.available_backends()
    return [name for name in names if getattr(ffi.get_backend(name), "remote", None) is None]


def main() -> int:
    """Run every part and the measurement; returns the exit code."""
    backends = local_backends()
    print(f"Epsilon Foreign {ffi.__version__} on CPython {platform.python_version()}, {platform.platform()}")
    for name in backend_names():
        reason = ffi.unavailable_reason(name)
        print(f"  {name:<12}{'available' if reason is None else f'not available: {reason}'}")
    results = [show_part(part, backends) for part in PARTS]
    print("\nnanoseconds per call")
    print("\n".join(f"  {line}" for line in timing.table(backends)))
    print(f"\n{'everything agreed' if all(results) else 'something went wrong: see FAILED above'}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
