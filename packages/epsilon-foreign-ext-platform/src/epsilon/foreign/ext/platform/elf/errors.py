"""What is wrong with a file that should be ELF."""

from __future__ import annotations

from ..errors import PlatformError


class ElfError(PlatformError, ValueError):
    """A file is no ELF file, is truncated, or contradicts itself; the message says which and where."""
