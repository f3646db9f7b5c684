"""The root of the error hierarchy, and the errors that the machine level itself raises.

Every error is a `ForeignError` and also the builtin that a Python programmer would catch.
"""

from __future__ import annotations


class ForeignError(Exception):
    """Anything that goes wrong between Python and foreign code."""


class BackendError(ForeignError):
    """A backend cannot do what was asked of it."""


class UnknownBackendError(BackendError, LookupError):
    """No backend is registered under that name."""

    # KeyError would print the message quoted; LookupError does not.


class BackendUnavailableError(BackendError, RuntimeError):
    """The backend is known but cannot work in this process; the message says why."""


class UnsupportedSignatureError(BackendError, NotImplementedError):
    """No backend that may be used can call this signature."""


class ArgumentError(ForeignError):
    """A Python value cannot cross into C. Raised as one of the three classes below."""


class ArgumentTypeError(ArgumentError, TypeError):
    """Wrong type, wrong number or wrong names of arguments."""


class ArgumentRangeError(ArgumentError, OverflowError):
    """A number that the C type cannot hold."""


class ArgumentValueError(ArgumentError, ValueError):
    """The right type with a value that C cannot take, such as a string with a NUL inside."""


class LifetimeError(ForeignError, RuntimeError):
    """Something foreign was used after it was closed, freed or released."""


class ClosedLibraryError(LifetimeError):
    """A function of a library that has been closed was called."""
