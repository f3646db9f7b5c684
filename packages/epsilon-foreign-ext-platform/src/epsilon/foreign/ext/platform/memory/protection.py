"""What may be done with pages: https://man7.org/linux/man-pages/man2/mprotect.2.html"""

from __future__ import annotations

import enum


class Protection(enum.IntFlag):
    """Rights to pages: ``PROT_READ`` and its kin, whose numbers are the same on all POSIX systems."""

    NONE = 0
    READ = 1
    WRITE = 2
    EXECUTE = 4

    @property
    def letters(self) -> str:
        """As /proc/self/maps shows them: ``rwx`` with dashes for what is missing."""
        return "".join(letter if self & bit else "-" for letter, bit in zip("rwx", Protection, strict=True))
