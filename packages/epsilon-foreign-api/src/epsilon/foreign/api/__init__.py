"""Layer 3 of Epsilon Foreign: how people declare foreign things.

>>> import epsilon.foreign.api as ffi
>>> from epsilon.foreign.api import c
>>> libm = ffi.Library("m")
>>> @libm.function
... def cos(x: c.double) -> c.double:
...     "The cosine of x, in radians."
>>> cos(0)
1.0
"""

from __future__ import annotations

from epsilon.foreign.runtime import (
    ArgumentError,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    BackendError,
    BackendUnavailableError,
    Check,
    ClosedLibraryError,
    DeclarationError,
    ForeignError,
    ForeignOSError,
    ForeignType,
    LibraryError,
    LifetimeError,
    SymbolNotFoundError,
    UnknownBackendError,
    UnknownTypeError,
    UnsupportedSignatureError,
    Variable,
    available_backends,
    check_errno,
    check_nonnegative,
    check_nonnull,
    check_zero,
    define_type,
    from_foreign,
    get_backend,
    guarded,
    register_backend,
    register_finder,
    select_backend,
    to_foreign,
    unavailable_reason,
    unregister_finder,
    use_backend,
)

from . import c
from .__about__ import __version__
from .call import shared_call
from .library import Library, shared

__all__ = [
    "ArgumentError",
    "ArgumentRangeError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "BackendError",
    "BackendUnavailableError",
    "Check",
    "ClosedLibraryError",
    "DeclarationError",
    "ForeignError",
    "ForeignOSError",
    "ForeignType",
    "Library",
    "LibraryError",
    "LifetimeError",
    "SymbolNotFoundError",
    "UnknownBackendError",
    "UnknownTypeError",
    "UnsupportedSignatureError",
    "Variable",
    "__version__",
    "available_backends",
    "c",
    "check_errno",
    "check_nonnegative",
    "check_nonnull",
    "check_zero",
    "define_type",
    "from_foreign",
    "get_backend",
    "guarded",
    "register_backend",
    "register_finder",
    "select_backend",
    "shared",
    "shared_call",
    "to_foreign",
    "unavailable_reason",
    "unregister_finder",
    "use_backend",
]
