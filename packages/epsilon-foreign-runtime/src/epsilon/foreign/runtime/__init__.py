"""Layer 2 of Epsilon Foreign: types, conversion, libraries, errors; not how people declare things."""

from __future__ import annotations

from epsilon.foreign.backend import lazy_names

from .__about__ import __version__

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
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
        FunctionData,
        LifetimeError,
        RemoteMemoryError,
        UnknownBackendError,
        UnsupportedSignatureError,
        available_backends,
        describe,
        get_backend,
        register_backend,
        select_backend,
        unavailable_reason,
        use_backend,
    )

    from .access import read, write
    from .aggregates import Anonymous, declare, make_aggregate
    from .aligned import Aligned
    from .arena import Arena
    from .arrays import Array, ArrayType, Flexible
    from .bits import Bits
    from .callbacks import Callback, CallbackType, ForeignCallback, callback_type
    from .checks import Check, check_errno, check_nonnegative, check_nonnull, check_zero, guarded
    from .const import Const
    from .conversion import asdict, astuple, replace
    from .creation import addressof, alloc, array, free, from_buffer, memory, new, pointer
    from .debug import CorruptedMemoryError
    from .deferred import DeferredStruct
    from .enums import UnknownEnumValue, declare_enum
    from .errors import (
        AlignmentError,
        BoundsError,
        ConstError,
        DeclarationError,
        ForeignOSError,
        LayoutError,
        LibraryError,
        NullPointerError,
        OwnershipError,
        SymbolNotFoundError,
        UnsupportedDeclarationError,
        os_error,
    )
    from .fields import Field
    from .function import Declaration, Declared, bind_declaration, declared
    from .library import Library, shared_library
    from .linkerscript import linker_script_targets
    from .members import StructType
    from .objects import Data, stored_pointers
    from .out import InOut, Out
    from .owned import Owned
    from .pointers import Pointer, PointerType, null
    from .search import register_finder, unregister_finder
    from .sizes import alignof, offsetof, sizeof, typeof
    from .strings import bytes_at, c_string, string_at
    from .structs import Struct
    from .types import (
        TYPES,
        ForeignType,
        Typed,
        UnknownTypeError,
        add_resolver,
        define_type,
        from_foreign,
        lookup_type,
        resolve_type,
        to_foreign,
    )
    from .variable import Variable
    from .variadic import VariadicFunction
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "epsilon.foreign.backend": """
                DEFAULT_CONVENTION ArgumentError ArgumentRangeError ArgumentTypeError
                ArgumentValueError BackendError BackendUnavailableError ClosedLibraryError
                ForeignError FunctionData LifetimeError RemoteMemoryError UnknownBackendError
                UnsupportedSignatureError available_backends describe get_backend
                register_backend select_backend unavailable_reason use_backend
            """,
            ".access": "read write",
            ".aggregates": "Anonymous declare make_aggregate",
            ".aligned": "Aligned",
            ".arena": "Arena",
            ".arrays": "Array ArrayType Flexible",
            ".bits": "Bits",
            ".callbacks": "Callback CallbackType ForeignCallback callback_type",
            ".checks": "Check check_errno check_nonnegative check_nonnull check_zero guarded",
            ".const": "Const",
            ".conversion": "asdict astuple replace",
            ".creation": "addressof alloc array free from_buffer memory new pointer",
            ".debug": "CorruptedMemoryError",
            ".deferred": "DeferredStruct",
            ".enums": "UnknownEnumValue declare_enum",
            ".errors": """
                AlignmentError BoundsError ConstError DeclarationError ForeignOSError
                LayoutError LibraryError NullPointerError OwnershipError SymbolNotFoundError
                UnsupportedDeclarationError os_error
            """,
            ".fields": "Field",
            ".function": "Declaration Declared bind_declaration declared",
            ".library": "Library shared_library",
            ".linkerscript": "linker_script_targets",
            ".members": "StructType",
            ".objects": "Data stored_pointers",
            ".out": "InOut Out",
            ".owned": "Owned",
            ".pointers": "Pointer PointerType null",
            ".search": "register_finder unregister_finder",
            ".sizes": "alignof offsetof sizeof typeof",
            ".strings": "bytes_at c_string string_at",
            ".structs": "Struct",
            ".types": """
                TYPES ForeignType Typed UnknownTypeError add_resolver define_type
                from_foreign lookup_type resolve_type to_foreign
            """,
            ".variable": "Variable",
            ".variadic": "VariadicFunction",
        },
    )

__all__ = [
    "DEFAULT_CONVENTION",
    "TYPES",
    "Aligned",
    "AlignmentError",
    "Anonymous",
    "Arena",
    "ArgumentError",
    "ArgumentRangeError",
    "ArgumentTypeError",
    "ArgumentValueError",
    "Array",
    "ArrayType",
    "BackendError",
    "BackendUnavailableError",
    "Bits",
    "BoundsError",
    "Callback",
    "CallbackType",
    "Check",
    "ClosedLibraryError",
    "Const",
    "ConstError",
    "CorruptedMemoryError",
    "Data",
    "Declaration",
    "DeclarationError",
    "Declared",
    "DeferredStruct",
    "Field",
    "Flexible",
    "ForeignCallback",
    "ForeignError",
    "ForeignOSError",
    "ForeignType",
    "FunctionData",
    "InOut",
    "LayoutError",
    "Library",
    "LibraryError",
    "LifetimeError",
    "NullPointerError",
    "Out",
    "Owned",
    "OwnershipError",
    "Pointer",
    "PointerType",
    "RemoteMemoryError",
    "Struct",
    "StructType",
    "SymbolNotFoundError",
    "Typed",
    "UnknownBackendError",
    "UnknownEnumValue",
    "UnknownTypeError",
    "UnsupportedDeclarationError",
    "UnsupportedSignatureError",
    "Variable",
    "VariadicFunction",
    "__version__",
    "add_resolver",
    "addressof",
    "alignof",
    "alloc",
    "array",
    "asdict",
    "astuple",
    "available_backends",
    "bind_declaration",
    "bytes_at",
    "c_string",
    "callback_type",
    "check_errno",
    "check_nonnegative",
    "check_nonnull",
    "check_zero",
    "declare",
    "declare_enum",
    "declared",
    "define_type",
    "describe",
    "free",
    "from_buffer",
    "from_foreign",
    "get_backend",
    "guarded",
    "lazy_names",
    "linker_script_targets",
    "lookup_type",
    "make_aggregate",
    "memory",
    "new",
    "null",
    "offsetof",
    "os_error",
    "pointer",
    "read",
    "register_backend",
    "register_finder",
    "replace",
    "resolve_type",
    "select_backend",
    "shared_library",
    "sizeof",
    "stored_pointers",
    "string_at",
    "to_foreign",
    "typeof",
    "unavailable_reason",
    "unregister_finder",
    "use_backend",
    "write",
]
