"""Layer 4 of Epsilon Foreign: what the operating system adds.

Libraries as the dynamic loader finds them, what is loaded, the system's errors and calling conventions, its memory
and kernel interfaces, and calls that run in another process.
"""

from __future__ import annotations

from epsilon.foreign.runtime import lazy_names

from .__about__ import __version__

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from . import kernel, memory
    from .calling import CallingConvention, convention, conventions, with_convention
    from .elf.errors import ElfError
    from .elf.symbols import ExportedSymbol
    from .errors import PlatformError, UnsupportedPlatformError
    from .isolation import isolated
    from .isolation.crash import ForeignCrash, ForeignMemoryLimit, ForeignTimeout
    from .isolation.profile import Profile
    from .isolation.session import ForeignBusyError, NotAFunctionError
    from .isolation.symbols import Frame
    from .loaded.addresses import AddressSymbol, symbol_at
    from .loaded.exports import exported_symbols, versioned_symbol
    from .loaded.guarded import NamespaceInUseError, NamespaceLibrary
    from .loaded.libraries import LoadedLibrary, LoadedSegment, loaded_libraries
    from .loaded.namespaces import Namespace, NamespaceError, namespace
    from .memory import Protection, Region, SecretArena, lock, map
    from .search.cache import CacheError
    from .search.elsewhere import MacProcess, WindowsProcess, search_order
    from .search.explanation import Explanation, Step
    from .search.find import explain_search, find_library
    from .search.finder import install_finder, uninstall_finder
    from .system_errors import ErrorCode, keep_error, last_error
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".": "kernel memory",
            ".calling": "CallingConvention convention conventions with_convention",
            ".elf.errors": "ElfError",
            ".elf.symbols": "ExportedSymbol",
            ".errors": "PlatformError UnsupportedPlatformError",
            ".loaded.addresses": "AddressSymbol symbol_at",
            ".loaded.exports": "exported_symbols versioned_symbol",
            ".loaded.guarded": "NamespaceInUseError NamespaceLibrary",
            ".isolation": "isolated",
            ".isolation.crash": "ForeignCrash ForeignMemoryLimit ForeignTimeout",
            ".isolation.profile": "Profile",
            ".isolation.session": "ForeignBusyError NotAFunctionError",
            ".isolation.symbols": "Frame",
            ".loaded.libraries": "LoadedLibrary LoadedSegment loaded_libraries",
            ".loaded.namespaces": "Namespace NamespaceError namespace",
            ".memory": "Protection Region SecretArena lock map",
            ".search.cache": "CacheError",
            ".search.elsewhere": "MacProcess WindowsProcess search_order",
            ".search.explanation": "Explanation Step",
            ".search.find": "explain_search find_library",
            ".search.finder": "install_finder uninstall_finder",
            ".system_errors": "ErrorCode keep_error last_error",
        },
    )

__all__ = [
    "AddressSymbol",
    "CacheError",
    "CallingConvention",
    "ElfError",
    "ErrorCode",
    "Explanation",
    "ExportedSymbol",
    "ForeignBusyError",
    "ForeignCrash",
    "ForeignMemoryLimit",
    "ForeignTimeout",
    "Frame",
    "LoadedLibrary",
    "LoadedSegment",
    "MacProcess",
    "Namespace",
    "NamespaceError",
    "NamespaceInUseError",
    "NamespaceLibrary",
    "NotAFunctionError",
    "PlatformError",
    "Profile",
    "Protection",
    "Region",
    "SecretArena",
    "Step",
    "UnsupportedPlatformError",
    "WindowsProcess",
    "__version__",
    "convention",
    "conventions",
    "explain_search",
    "exported_symbols",
    "find_library",
    "install_finder",
    "isolated",
    "keep_error",
    "kernel",
    "last_error",
    "loaded_libraries",
    "lock",
    "map",
    "memory",
    "namespace",
    "search_order",
    "symbol_at",
    "uninstall_finder",
    "versioned_symbol",
    "with_convention",
]
