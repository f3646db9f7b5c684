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

from epsilon.foreign.runtime import lazy_names

from .__about__ import __version__

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from epsilon.foreign.runtime import (
        AlignmentError,
        ArgumentError,
        ArgumentRangeError,
        ArgumentTypeError,
        ArgumentValueError,
        BackendError,
        BackendUnavailableError,
        BoundsError,
        Check,
        ClosedLibraryError,
        ConstError,
        CorruptedMemoryError,
        DeclarationError,
        Field,
        ForeignCallback,
        ForeignError,
        ForeignOSError,
        ForeignType,
        FunctionData,
        LayoutError,
        LibraryError,
        LifetimeError,
        NullPointerError,
        OwnershipError,
        RemoteMemoryError,
        Struct,
        SymbolNotFoundError,
        UnknownBackendError,
        UnknownEnumValue,
        UnknownTypeError,
        UnsupportedDeclarationError,
        UnsupportedSignatureError,
        Variable,
        addressof,
        alignof,
        asdict,
        astuple,
        available_backends,
        bytes_at,
        check_errno,
        check_nonnegative,
        check_nonnull,
        check_zero,
        define_type,
        describe,
        from_foreign,
        get_backend,
        guarded,
        offsetof,
        register_backend,
        register_finder,
        replace,
        select_backend,
        sizeof,
        string_at,
        to_foreign,
        typeof,
        unavailable_reason,
        unregister_finder,
        use_backend,
    )

    from . import c
    from .annotations import (
        Aligned,
        Anonymous,
        AnyConstPointer,
        AnyPointer,
        Bits,
        ByRef,
        Const,
        Elements,
        Flexible,
        InOut,
        Nullable,
        Out,
        Owned,
    )
    from .call import shared_call
    from .callbacks import Callback, callback
    from .containers import Array, Pointer
    from .data import Arena, alloc, array, c_string, free, from_buffer, memory, new, null, pointer
    from .lazy_library import LazyLibrary, TypedVariable
    from .library import Library, shared
    from .structs import defer_struct, enum, make_struct, make_union, opaque, struct, union
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "epsilon.foreign.runtime": """
                AlignmentError ArgumentError ArgumentRangeError ArgumentTypeError
                ArgumentValueError BackendError BackendUnavailableError BoundsError Check
                ClosedLibraryError ConstError CorruptedMemoryError DeclarationError Field
                ForeignCallback ForeignError ForeignOSError ForeignType FunctionData
                LayoutError LibraryError LifetimeError NullPointerError OwnershipError
                RemoteMemoryError
                Struct SymbolNotFoundError UnknownBackendError UnknownEnumValue
                UnknownTypeError UnsupportedDeclarationError UnsupportedSignatureError Variable
                addressof alignof asdict astuple available_backends bytes_at check_errno check_nonnegative
                check_nonnull check_zero define_type describe from_foreign get_backend
                guarded offsetof register_backend register_finder replace select_backend
                sizeof string_at to_foreign typeof unavailable_reason unregister_finder
                use_backend
            """,
            ".": "c",
            ".annotations": """
                Aligned Anonymous AnyConstPointer AnyPointer Bits ByRef Const Elements Flexible
                InOut Nullable Out Owned
            """,
            ".call": "shared_call",
            ".callbacks": "Callback callback",
            ".containers": "Array Pointer",
            ".lazy_library": "LazyLibrary TypedVariable",
            ".library": "Library shared",
            ".data": "Arena alloc array c_string free from_buffer memory new null pointer",
            ".structs": "defer_struct enum make_struct make_union opaque struct union",
        },
    )

__all__ = [
    "Aligned",
    "AlignmentError",
    "Anonymous",
    "AnyConstPointer",
    "AnyPointer",
    "Arena",
    "ArgumentError",
    "ArgumentRangeError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "Array",
    "BackendError",
    "BackendUnavailableError",
    "Bits",
    "BoundsError",
    "ByRef",
    "Callback",
    "Check",
    "ClosedLibraryError",
    "Const",
    "ConstError",
    "CorruptedMemoryError",
    "DeclarationError",
    "Elements",
    "Field",
    "Flexible",
    "ForeignCallback",
    "ForeignError",
    "ForeignOSError",
    "ForeignType",
    "FunctionData",
    "InOut",
    "LayoutError",
    "LazyLibrary",
    "Library",
    "LibraryError",
    "LifetimeError",
    "NullPointerError",
    "Nullable",
    "Out",
    "Owned",
    "OwnershipError",
    "Pointer",
    "RemoteMemoryError",
    "Struct",
    "SymbolNotFoundError",
    "TypedVariable",
    "UnknownBackendError",
    "UnknownEnumValue",
    "UnknownTypeError",
    "UnsupportedDeclarationError",
    "UnsupportedSignatureError",
    "Variable",
    "__version__",
    "addressof",
    "alignof",
    "alloc",
    "array",
    "asdict",
    "astuple",
    "available_backends",
    "bytes_at",
    "c",
    "c_string",
    "callback",
    "check_errno",
    "check_nonnegative",
    "check_nonnull",
    "check_zero",
    "defer_struct",
    "define_type",
    "describe",
    "enum",
    "free",
    "from_buffer",
    "from_foreign",
    "get_backend",
    "guarded",
    "make_struct",
    "make_union",
    "memory",
    "new",
    "null",
    "offsetof",
    "opaque",
    "pointer",
    "register_backend",
    "register_finder",
    "replace",
    "select_backend",
    "shared",
    "shared_call",
    "sizeof",
    "string_at",
    "struct",
    "to_foreign",
    "typeof",
    "unavailable_reason",
    "union",
    "unregister_finder",
    "use_backend",
]
