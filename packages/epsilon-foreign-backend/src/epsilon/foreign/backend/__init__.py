"""Layer 1 of Epsilon Foreign: a signature becomes a callable.

ABI types, signatures, and three interchangeable backends that call machine code: ctypes, libffi (through cffi) and
generated trampolines. This layer knows addresses and machine values; it knows nothing of headers, library search or
Python classes for C structs.
"""

from __future__ import annotations

from .__about__ import __version__
from .abi import (
    BOOL,
    C_TYPES,
    COMPLEX_DOUBLE,
    COMPLEX_FLOAT,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    LONGDOUBLE,
    POINTER,
    SIGNED_BY_SIZE,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    UNSIGNED_BY_SIZE,
    VOID,
    AbiType,
    Field,
    Kind,
    aggregate,
)
from .arguments import arrange
from .base import BackendBase, NullFunctionError
from .binding import Address, Binding, Converter, Guard, Marshal, Parameter
from .buffers import Borrowed, borrow
from .convert import converter, expected, integer, type_name
from .errors import (
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
)
from .inspection import python_signature, render
from .protocol import CAPABILITIES, Backend, CallbackHandle
from .registry import (
    ENTRY_POINTS,
    ENVIRONMENT,
    available_backends,
    backend_names,
    get_backend,
    register_backend,
    select_backend,
    unavailable_reason,
    unregister_backend,
    use_backend,
)
from .signature import DEFAULT_CONVENTION, Signature, promoted

__all__ = [
    "BOOL",
    "CAPABILITIES",
    "COMPLEX_DOUBLE",
    "COMPLEX_FLOAT",
    "C_TYPES",
    "DEFAULT_CONVENTION",
    "DOUBLE",
    "ENTRY_POINTS",
    "ENVIRONMENT",
    "FLOAT",
    "INT16",
    "INT32",
    "INT64",
    "INT8",
    "LONGDOUBLE",
    "POINTER",
    "SIGNED_BY_SIZE",
    "UINT16",
    "UINT32",
    "UINT64",
    "UINT8",
    "UNSIGNED_BY_SIZE",
    "VOID",
    "AbiType",
    "Address",
    "ArgumentError",
    "ArgumentRangeError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "Backend",
    "BackendBase",
    "BackendError",
    "BackendUnavailableError",
    "Binding",
    "Borrowed",
    "CallbackHandle",
    "ClosedLibraryError",
    "Converter",
    "Field",
    "ForeignError",
    "Guard",
    "Kind",
    "LifetimeError",
    "Marshal",
    "NullFunctionError",
    "Parameter",
    "Signature",
    "UnknownBackendError",
    "UnsupportedSignatureError",
    "__version__",
    "aggregate",
    "arrange",
    "available_backends",
    "backend_names",
    "borrow",
    "converter",
    "expected",
    "get_backend",
    "integer",
    "promoted",
    "python_signature",
    "register_backend",
    "render",
    "select_backend",
    "type_name",
    "unavailable_reason",
    "unregister_backend",
    "use_backend",
]
