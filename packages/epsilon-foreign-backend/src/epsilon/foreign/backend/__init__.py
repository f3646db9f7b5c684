"""Layer 1 of Epsilon Foreign: a signature becomes a callable.

ABI types, signatures, and three interchangeable backends that call machine code: ctypes, libffi (through
cffi) and generated trampolines. This layer knows addresses and machine values; it knows nothing of headers,
library search or Python classes for C structs.
"""

from __future__ import annotations

from .__about__ import __version__
from .lazy import lazy_names

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from . import window
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
    from .allocator import FUNDAMENTAL, alloc, free
    from .arguments import arrange
    from .base import BackendBase, NullFunctionError
    from .binding import Accept, Address, Binding, Converter, Guard, Marshal, Parameter
    from .buffers import Borrowed, borrow
    from .convert import converter, expected, integer, type_name
    from .description import FunctionData, describe
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
    from .function import ForeignFunction, foreign_function
    from .inspection import python_signature, render
    from .likeness import Contents, Pointee
    from .locks import ProcessLock
    from .memobject import (
        CONFINED,
        DEAD,
        LIVE,
        MEMORY,
        OWNER,
        READONLY,
        UNALIGNED,
        Exported,
        Memory,
        MemoryLayout,
        Owner,
        OwnerLayout,
        with_storage,
    )
    from .protocol import CAPABILITIES, Accessors, Backend, CallbackHandle
    from .registry import (
        ENTRY_POINTS,
        ENVIRONMENT,
        available_backends,
        backend_names,
        get_backend,
        preferred_backend,
        register_backend,
        select_backend,
        unavailable_reason,
        unregister_backend,
        use_backend,
    )
    from .remote import RemoteMemory, RemoteMemoryError, check_reach, remote_memory, remotes, string_at
    from .signature import DEFAULT_CONVENTION, Signature, promoted
    from .upcall import (
        DeadCallbackError,
        Upcall,
        UpcallParameter,
        completed,
        misfit,
        receiver,
        report,
        returner,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".": "window",
            ".abi": """
                BOOL C_TYPES COMPLEX_DOUBLE COMPLEX_FLOAT DOUBLE FLOAT INT8 INT16 INT32
                INT64 LONGDOUBLE POINTER SIGNED_BY_SIZE UINT8 UINT16 UINT32 UINT64
                UNSIGNED_BY_SIZE VOID AbiType Field Kind aggregate
            """,
            ".allocator": "FUNDAMENTAL alloc free",
            ".arguments": "arrange",
            ".base": "BackendBase NullFunctionError",
            ".binding": "Accept Address Binding Converter Guard Marshal Parameter",
            ".buffers": "Borrowed borrow",
            ".convert": "converter expected integer type_name",
            ".description": "FunctionData describe",
            ".errors": """
                ArgumentError ArgumentRangeError ArgumentTypeError ArgumentValueError
                BackendError BackendUnavailableError ClosedLibraryError ForeignError
                LifetimeError UnknownBackendError UnsupportedSignatureError
            """,
            ".function": "ForeignFunction foreign_function",
            ".inspection": "python_signature render",
            ".likeness": "Contents Pointee",
            ".locks": "ProcessLock",
            ".memobject": """
                CONFINED DEAD LIVE MEMORY OWNER READONLY UNALIGNED Exported Memory
                MemoryLayout Owner OwnerLayout with_storage
            """,
            ".protocol": "CAPABILITIES Accessors Backend CallbackHandle",
            ".registry": """
                ENTRY_POINTS ENVIRONMENT available_backends backend_names get_backend
                preferred_backend register_backend select_backend unavailable_reason
                unregister_backend use_backend
            """,
            ".remote": "RemoteMemory RemoteMemoryError check_reach remote_memory remotes string_at",
            ".signature": "DEFAULT_CONVENTION Signature promoted",
            ".upcall": "DeadCallbackError Upcall UpcallParameter completed misfit receiver report returner",
        },
    )

__all__ = [
    "BOOL",
    "CAPABILITIES",
    "COMPLEX_DOUBLE",
    "COMPLEX_FLOAT",
    "CONFINED",
    "C_TYPES",
    "DEAD",
    "DEFAULT_CONVENTION",
    "DOUBLE",
    "ENTRY_POINTS",
    "ENVIRONMENT",
    "FLOAT",
    "FUNDAMENTAL",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "LIVE",
    "LONGDOUBLE",
    "MEMORY",
    "OWNER",
    "POINTER",
    "READONLY",
    "SIGNED_BY_SIZE",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "UNALIGNED",
    "UNSIGNED_BY_SIZE",
    "VOID",
    "AbiType",
    "Accept",
    "Accessors",
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
    "Contents",
    "Converter",
    "DeadCallbackError",
    "Exported",
    "Field",
    "ForeignError",
    "ForeignFunction",
    "FunctionData",
    "Guard",
    "Kind",
    "LifetimeError",
    "Marshal",
    "Memory",
    "MemoryLayout",
    "NullFunctionError",
    "Owner",
    "OwnerLayout",
    "Parameter",
    "Pointee",
    "ProcessLock",
    "RemoteMemory",
    "RemoteMemoryError",
    "Signature",
    "UnknownBackendError",
    "UnsupportedSignatureError",
    "Upcall",
    "UpcallParameter",
    "__version__",
    "aggregate",
    "alloc",
    "arrange",
    "available_backends",
    "backend_names",
    "borrow",
    "check_reach",
    "completed",
    "converter",
    "describe",
    "expected",
    "foreign_function",
    "free",
    "get_backend",
    "integer",
    "lazy_names",
    "misfit",
    "preferred_backend",
    "promoted",
    "python_signature",
    "receiver",
    "register_backend",
    "remote_memory",
    "remotes",
    "render",
    "report",
    "returner",
    "select_backend",
    "string_at",
    "type_name",
    "unavailable_reason",
    "unregister_backend",
    "use_backend",
    "window",
    "with_storage",
]
