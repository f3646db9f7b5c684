"""The errors of this layer, beside those of the backend; each is a `ForeignError` and also a builtin."""

from __future__ import annotations

import errno
import functools
import os

from epsilon.foreign.backend import ForeignError, LifetimeError


class LibraryError(ForeignError, OSError):
    """A library cannot be found or loaded; the message lists what was tried."""


class SymbolNotFoundError(ForeignError, AttributeError):
    """A library has no symbol of that name."""


class DeclarationError(ForeignError, TypeError):
    """A declaration that cannot be understood, such as a parameter with no C type."""


class UnsupportedDeclarationError(ForeignError, NotImplementedError):
    """A declaration of C's that cannot be used from Python; the message says why."""


class LayoutError(DeclarationError, ValueError):
    """A number that C cannot lay out: a width, an alignment, a count, a size."""


class BoundsError(ForeignError, IndexError):
    """An access outside the memory of a pointer or an array, or where nobody has said how far it reaches."""


class NullPointerError(ForeignError, ValueError):
    """An access through a NULL pointer."""


class AlignmentError(ForeignError, ValueError):
    """An access through a pointer whose address is not a multiple of what its type needs."""


class ConstError(ForeignError, TypeError):
    """A write through something declared `Const`, or into read-only memory."""


class OwnershipError(LifetimeError, ValueError):
    """Memory was to be freed that nobody has allocated here, or not by this pointer."""


class ForeignOSError(ForeignError, OSError):
    """A foreign function reported failure through errno.

    What is raised is also the builtin subclass that belongs to the code (`FileNotFoundError` for ENOENT ...).
    """


def os_error(code: int, function: str) -> ForeignOSError:
    """The error for an errno `code` that `function` left."""
    words = os.strerror(code) if code else "it reported failure, but errno is 0"
    return _os_error_class(code)(code, f"{function}(): {words}")


@functools.cache
def _os_error_class(code: int) -> type[ForeignOSError]:
    # OSError's own constructor knows which subclass belongs to a code (PEP 3151).
    builtin = type(OSError(code, "")) if code else OSError
    if builtin is OSError:
        return ForeignOSError
    name = errno.errorcode.get(code, str(code))
    doc = f"{builtin.__name__} ({name}), raised for a foreign function."
    return type(
        f"Foreign{builtin.__name__}", (ForeignOSError, builtin), {"__doc__": doc, "__module__": __name__}
    )
