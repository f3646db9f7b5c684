"""Layer 4 of Epsilon Foreign: what the operating system adds.

Libraries as the dynamic loader finds them, what is loaded, the system's errors and calling conventions, its memory
and kernel interfaces, and calls that run in another process.
"""

from __future__ import annotations

from epsilon.foreign.runtime import lazy_names

from .__about__ import __version__

TYPE_CHECKING = False  # see `lazy_names`
if TYPE_CHECKING:
    from .errors import PlatformError, UnsupportedPlatformError
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            ".errors": "PlatformError UnsupportedPlatformError",
        },
    )

__all__ = [
    "PlatformError",
    "UnsupportedPlatformError",
    "__version__",
]
