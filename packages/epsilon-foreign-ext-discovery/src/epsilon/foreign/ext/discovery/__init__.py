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
    from .errors import (
        BindingFileError,
        Diagnostic,
        DiscoveryError,
        HeaderError,
        HeaderNotFoundError,
        PackageNotFoundError,
        ParserUnavailableError,
        UnsupportedDeclarationError,
    )
    from .file import read_binding, write_binding
    from .ir import Binding, ParseOptions
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".errors": """
                BindingFileError Diagnostic DiscoveryError HeaderError HeaderNotFoundError
                PackageNotFoundError ParserUnavailableError UnsupportedDeclarationError
            """,
            ".file": "read_binding write_binding",
            ".ir": "Binding ParseOptions",
        },
    )

__all__ = [
    "Binding",
    "BindingFileError",
    "Diagnostic",
    "DiscoveryError",
    "HeaderError",
    "HeaderNotFoundError",
    "PackageNotFoundError",
    "ParseOptions",
    "ParserUnavailableError",
    "UnsupportedDeclarationError",
    "__version__",
    "read_binding",
    "write_binding",
]
