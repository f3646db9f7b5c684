"""The errors of this package: under the api's hierarchy, each also the builtin a Python programmer would catch."""

from __future__ import annotations

from epsilon.foreign.api import ForeignError


class PlatformError(ForeignError):
    """Something the operating system was asked for cannot be had."""


class UnsupportedPlatformError(PlatformError, NotImplementedError):
    """This operating system, kernel or C library does not have what was asked for; the message says which does."""
