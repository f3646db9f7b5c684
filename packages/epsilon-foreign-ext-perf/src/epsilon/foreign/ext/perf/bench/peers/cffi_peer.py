"""cffi in its two modes: ABI (declarations parsed at run time, calls through libffi) and API (a compiled
module).

Both let go of the interpreter's lock around every call, check that integers fit, and do not look for NULs
(https://cffi.readthedocs.io/en/stable/overview.html#abi-versus-api).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..building.workshop import Workshop, load
from ..contestant import UnavailableError
from ..prototype import Prototype, declarations


class Bound:
    """The functions by name, and the ``ffi`` object that goes with them (for casts and strings)."""

    def __init__(self, ffi: Any, library: Any, prototypes: Iterable[Prototype]) -> None:
        self.ffi = ffi
        self.library = library
        self.functions: dict[str, Callable[..., Any]] = {
            prototype.name: getattr(library, prototype.name) for prototype in prototypes
        }


def bind_abi(path: str | Path, prototypes: Iterable[Prototype]) -> Bound:
    """ABI mode. Raises UnavailableError when cffi is not installed."""
    try:
        import cffi
    except ImportError as error:
        raise UnavailableError(f"cffi cannot be imported: {error}") from None
    prototypes = list(prototypes)
    ffi = cffi.FFI()
    ffi.cdef(declarations(prototypes))
    return Bound(ffi, ffi.dlopen(str(path)), prototypes)


def bind_api(workshop: Workshop, name: str, path: Path, prototypes: Iterable[Prototype]) -> Bound:
    """API mode: builds the module `name`. Raises UnavailableError."""
    prototypes = list(prototypes)
    text = declarations(prototypes)
    # The declarations serve both cffi and the C compiler: no header of the library is needed.
    module = load(
        name, workshop.cffi(name, text, "#include <stdint.h>\n#include <stddef.h>\n" + text, [path])
    )
    return Bound(module.ffi, module.lib, prototypes)
