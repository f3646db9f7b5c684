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
    from .elf.errors import ElfError
    from .elf.symbols import ExportedSymbol
    from .errors import PlatformError, UnsupportedPlatformError
    from .loaded.addresses import AddressSymbol, symbol_at
    from .loaded.exports import exported_symbols, versioned_symbol
    from .loaded.guarded import NamespaceInUseError, NamespaceLibrary
    from .isolation import isolated
    from .isolation.crash import ForeignCrash, ForeignMemoryLimit, ForeignTimeout, Frame
    from .isolation.profile import Profile
    from .isolation.session import ForeignBusyError, NotAFunctionError
    from .loaded.libraries import LoadedLibrary, LoadedSegment, loaded_libraries
    from .loaded.namespaces import Namespace, NamespaceError, namespace
    from .memory import Protection, Region, SecretArena, lock, map
    from .search.cache import CacheError
    from .search.explanation import Explanation, Step
    from .search.find import explain_search, find_library
    from .search.finder import install_finder, uninstall_finder
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".": "kernel memory",
            ".elf.errors": "ElfError",
            ".elf.symbols": "ExportedSymbol",
            ".errors": "PlatformError UnsupportedPlatformError",
            ".loaded.addresses": "AddressSymbol symbol_at",
            ".loaded.exports": "exported_symbols versioned_symbol",
            ".loaded.guarded": "NamespaceInUseError NamespaceLibrary",
            ".isolation": "isolated",
            ".isolation.crash": "ForeignCrash ForeignMemoryLimit ForeignTimeout Frame",
            ".isolation.profile": "Profile",
            ".isolation.session": "ForeignBusyError NotAFunctionError",
            ".loaded.libraries": "LoadedLibrary LoadedSegment loaded_libraries",
            ".loaded.namespaces": "Namespace NamespaceError namespace",
            ".memory": "Protection Region SecretArena lock map",
            ".search.cache": "CacheError",
            ".search.explanation": "Explanation Step",
            ".search.find": "explain_search find_library",
            ".search.finder": "install_finder uninstall_finder",
        },
    )

__all__ = [
    "AddressSymbol",
    "CacheError",
    "ElfError",
    "Explanation",
    "ExportedSymbol",
    "ForeignBusyError",
    "ForeignCrash",
    "ForeignMemoryLimit",
    "ForeignTimeout",
    "Frame",
    "LoadedLibrary",
    "LoadedSegment",
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
    "__version__",
    "explain_search",
    "exported_symbols",
    "find_library",
    "install_finder",
    "isolated",
    "kernel",
    "loaded_libraries",
    "lock",
    "map",
    "memory",
    "namespace",
    "symbol_at",
    "uninstall_finder",
    "versioned_symbol",
]
