"""Files that are only memory, and the seals on them: https://man7.org/linux/man-pages/man2/memfd_create.2.html"""

from __future__ import annotations

import enum
import errno
import os
from typing import TYPE_CHECKING

from epsilon.foreign.api import ArgumentValueError, c

from ..clib import Hints, libc, nonnegative, zero
from .descriptor import Descriptor

if TYPE_CHECKING:
    from ..memory import Protection, Region


class Seals(enum.IntFlag):
    """What cannot be done to a file any more, by anybody (include/uapi/linux/fcntl.h)."""

    #: Add seals.
    SEAL = 0x01
    SHRINK = 0x02
    GROW = 0x04
    #: Change the content; refused while there is a mapping that can.
    WRITE = 0x08
    #: As WRITE, for all but the mappings that there are. Linux 5.1.
    FUTURE_WRITE = 0x10
    #: Change whether it may be executed. Linux 6.3.
    EXEC = 0x20


_CLOEXEC, _ALLOW_SEALING, _HUGETLB = 1, 2, 4
_HUGE_SHIFT = 26
_ADD_SEALS, _GET_SEALS = 1033, 1034

_CREATE_HINTS: Hints = {errno.EINVAL: "the name is longer than 249 bytes, or there are no such huge pages"}
_SEAL_HINTS: Hints = {
    errno.EPERM: "its seals are final, or it was opened for reading only",
    errno.EBUSY: "a mapping of it can be written",
    errno.EINVAL: "this kernel does not know the seal, or this file takes none",
}
_SIZE_HINTS: Hints = {errno.EPERM: "it is sealed against growing or shrinking"}


@libc.function(check=nonnegative(_CREATE_HINTS))
def memfd_create(name: c.string, flags: c.uint) -> c.int: ...


# What comes after the command depends on it: ``fcntl(fd, 1033, c.int(8))``.
@libc.function(check=nonnegative(_SEAL_HINTS))
def fcntl(fd: c.int, command: c.int, *argument: object) -> c.int: ...


@libc.function(check=zero(_SIZE_HINTS))
def ftruncate(fd: c.int, size: c.long) -> c.int: ...


class MemFD(Descriptor):
    """A file without a name in any folder, whose content is memory: to map, to seal, to send to another process.

    It is gone with its last descriptor and mapping. Linux 3.17.
    """

    __slots__ = ("_page",)

    def __init__(
        self, name: str = "memory", size: int = 0, *, sealing: bool = True, huge: int | None = None
    ) -> None:
        """A file of `size` bytes, zeros; `name` is what /proc shows. `huge`: of huge pages of so many bytes.

        Raises ForeignOSError, ArgumentValueError.
        """
        if huge is not None and (huge <= 0 or huge & (huge - 1)):
            raise ArgumentValueError(f"huge={huge}: pages have a power of two of bytes")
        self._page = huge
        flags = _CLOEXEC | (_ALLOW_SEALING if sealing else 0)
        if huge is not None:
            flags |= _HUGETLB | (huge.bit_length() - 1) << _HUGE_SHIFT
        super().__init__(memfd_create(name, flags))
        if size:
            try:
                self.resize(size)
            except BaseException:
                self.close()
                raise

    @property
    def size(self) -> int:
        """Bytes of it."""
        return os.fstat(self.fileno()).st_size

    def resize(self, size: int) -> None:
        """Make it so many bytes long: zeros are added. Bytes beyond the end of a file kill who touches them in a
        mapping: seal it against shrinking before others get it. Raises ForeignOSError (PermissionError if sealed)."""
        ftruncate(self.fileno(), size)

    @property
    def seals(self) -> Seals:
        """What cannot be done to it any more."""
        return Seals(fcntl(self.fileno(), _GET_SEALS))

    def seal(self, seals: Seals) -> None:
        """Add seals, for good. Raises ForeignOSError (PermissionError when its seals are final, EBUSY)."""
        fcntl(self.fileno(), _ADD_SEALS, c.int(int(seals)))

    def map(
        self,
        size: int | None = None,
        *,
        offset: int = 0,
        protection: Protection | None = None,
        shared: bool = True,
    ) -> Region:
        """Its memory, see `memory.map`; what is written is seen by all who have mapped it, unless not `shared`."""
        from ..memory import Protection, map

        rights = Protection.READ | Protection.WRITE if protection is None else protection
        return map(size, file=self, offset=offset, shared=shared, protection=rights, huge=self._page or False)
