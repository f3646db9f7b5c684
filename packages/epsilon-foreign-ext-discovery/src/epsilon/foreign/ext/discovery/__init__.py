"""From C headers to bindings: live, as a file that is kept under version control, or as Python source.

>>> from epsilon.foreign.ext import discovery
>>> libm = discovery.cdef("double hypot(double x, double y);", library="m")
>>> libm.hypot(3, 4)
5.0
"""

from __future__ import annotations

from epsilon.foreign.runtime import lazy_names

from .__about__ import __version__

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from epsilon.foreign.api import UnsupportedDeclarationError

    from .compare import Change, Effect, compare_bindings
    from .emit import generate, write_module
    from .errors import (
        BindingFileError,
        Diagnostic,
        DiscoveryError,
        HeaderError,
        HeaderNotFoundError,
        PackageNotFoundError,
        ParserUnavailableError,
    )
    from .file import read_binding, write_binding
    from .ir import Binding, ParseOptions
    from .live import Bindings, bind, call, cdef, load
    from .parser import parse, parse_text
    from .symbols import Match, Symbol, match_library, read_image
    from .verify import CompilerError, Mismatch, Unchecked, Verification, verify_layouts
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "epsilon.foreign.api": "UnsupportedDeclarationError",
            ".compare": "Change Effect compare_bindings",
            ".emit": "generate write_module",
            ".errors": """
                BindingFileError Diagnostic DiscoveryError HeaderError HeaderNotFoundError
                PackageNotFoundError ParserUnavailableError
            """,
            ".file": "read_binding write_binding",
            ".ir": "Binding ParseOptions",
            ".live": "Bindings bind call cdef load",
            ".parser": "parse parse_text",
            ".symbols": "Match Symbol match_library read_image",
            ".verify": "CompilerError Mismatch Unchecked Verification verify_layouts",
        },
    )

__all__ = [
    "Binding",
    "BindingFileError",
    "Bindings",
    "Change",
    "CompilerError",
    "Diagnostic",
    "DiscoveryError",
    "Effect",
    "HeaderError",
    "HeaderNotFoundError",
    "Match",
    "Mismatch",
    "PackageNotFoundError",
    "ParseOptions",
    "ParserUnavailableError",
    "Symbol",
    "Unchecked",
    "UnsupportedDeclarationError",
    "Verification",
    "__version__",
    "bind",
    "call",
    "cdef",
    "compare_bindings",
    "generate",
    "load",
    "match_library",
    "parse",
    "parse_text",
    "read_binding",
    "read_image",
    "verify_layouts",
    "write_binding",
    "write_module",
]
