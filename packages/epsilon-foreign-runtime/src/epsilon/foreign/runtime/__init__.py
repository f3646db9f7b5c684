"""Layer 2 of Epsilon Foreign: types, conversion, libraries, errors; not how people declare things."""

from __future__ import annotations

# What is declared with this layer's types runs on the backends below; their selection is part of the
# vocabulary.
from epsilon.foreign.backend import (
    DEFAULT_CONVENTION,
    ArgumentError,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    BackendError,
    BackendUnavailableError,
    ClosedLibraryError,
    ForeignError,
    LifetimeError,
    UnknownBackendError,
    UnsupportedSignatureError,
    available_backends,
    get_backend,
    register_backend,
    select_backend,
    unavailable_reason,
    use_backend,
)

from . import scalars  # fills the type table  # noqa: F401
from .__about__ import __version__
from .access import read, write
from .checks import Check, check_errno, check_nonnegative, check_nonnull, check_zero, guarded
from .errors import DeclarationError, ForeignOSError, LibraryError, SymbolNotFoundError, os_error
from .function import Declaration, Declared, bind_declaration, declared
from .library import Library, shared_library
from .search import register_finder, unregister_finder
from .types import (
    TYPES,
    ForeignType,
    Typed,
    UnknownTypeError,
    define_type,
    from_foreign,
    lookup_type,
    resolve_type,
    to_foreign,
)
from .variable import Variable
from .variadic import VariadicFunction

__all__ = [
    "DEFAULT_CONVENTION",
    "TYPES",
    "ArgumentError",
    "ArgumentRangeError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "BackendError",
    "BackendUnavailableError",
    "Check",
    "ClosedLibraryError",
    "Declaration",
    "DeclarationError",
    "Declared",
    "ForeignError",
    "ForeignOSError",
    "ForeignType",
    "Library",
    "LibraryError",
    "LifetimeError",
    "SymbolNotFoundError",
    "Typed",
    "UnknownBackendError",
    "UnknownTypeError",
    "UnsupportedSignatureError",
    "Variable",
    "VariadicFunction",
    "__version__",
    "available_backends",
    "bind_declaration",
    "check_errno",
    "check_nonnegative",
    "check_nonnull",
    "check_zero",
    "declared",
    "define_type",
    "from_foreign",
    "get_backend",
    "guarded",
    "lookup_type",
    "os_error",
    "read",
    "register_backend",
    "register_finder",
    "resolve_type",
    "select_backend",
    "shared_library",
    "to_foreign",
    "unavailable_reason",
    "unregister_finder",
    "use_backend",
    "write",
]
