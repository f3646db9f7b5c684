"""What happens to files and folders: https://man7.org/linux/man-pages/man7/inotify.7.html"""

from __future__ import annotations

import enum
import errno
import os
from typing import Any, NamedTuple

from epsilon.foreign.api import ArgumentValueError, Array, alloc, bytes_at, c, offsetof, struct

from ..clib import Hints, libc, nonnegative, zero
from .descriptor import Descriptor, read


class InotifyEvents(enum.IntFlag):
    """What to watch for, and what happened (include/uapi/linux/inotify.h)."""

    ACCESS = 0x001
    MODIFY = 0x002
    ATTRIB = 0x004
    CLOSE_WRITE = 0x008
    CLOSE_NOWRITE = 0x010
    OPEN = 0x020
    MOVED_FROM = 0x040
    MOVED_TO = 0x080
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    #: Only reported: the file system went away; events were lost, for the queue was full; the watch has ended.
    UNMOUNT = 0x2000
    Q_OVERFLOW = 0x4000
    IGNORED = 0x8000
    #: How to watch: folders only; not what a link points to; not what is unlinked; fail if watched already; in addition
    #: to what is watched already; one event only.
    ONLYDIR = 0x0100_0000
    DONT_FOLLOW = 0x0200_0000
    EXCL_UNLINK = 0x0400_0000
    MASK_CREATE = 0x1000_0000
    MASK_ADD = 0x2000_0000
    ONESHOT = 0x8000_0000
    #: Only reported: it happened to a folder.
    ISDIR = 0x4000_0000

    CLOSE = CLOSE_WRITE | CLOSE_NOWRITE
    MOVE = MOVED_FROM | MOVED_TO
    ALL = 0xFFF


@struct
class inotify_event:
    """``struct inotify_event``, and behind it `len` bytes of a name, padded with NULs."""

    wd: c.int
    mask: c.uint32
    cookie: c.uint32
    len: c.uint32
    name: Array[c.char, ...]  # type: ignore[misc]  # checkers know no arrays without a length


_HEAD = offsetof(inotify_event, "name")
#: NAME_MAX: the longest name of a file is 255 bytes, and a NUL.
_LONGEST = _HEAD + 256
_FLAGS = 0o2000000 | 0o4000  # IN_CLOEXEC, IN_NONBLOCK

_INIT_HINTS: Hints = {errno.EMFILE: "too many of them: /proc/sys/fs/inotify/max_user_instances, or ulimit -n"}
_ADD_HINTS: Hints = {
    errno.ENOSPC: "too many watches: /proc/sys/fs/inotify/max_user_watches",
    errno.EINVAL: "no event is asked for, or the flags contradict each other",
}


@libc.function(check=nonnegative(_INIT_HINTS))
def inotify_init1(flags: c.int) -> c.int: ...


@libc.function(check=nonnegative(_ADD_HINTS))
def inotify_add_watch(fd: c.int, path: c.string, mask: c.uint32) -> c.int: ...


@libc.function(check=zero({errno.EINVAL: "there is no such watch"}))
def inotify_rm_watch(fd: c.int, watch: c.int) -> c.int: ...


class InotifyEvent(NamedTuple):
    """One thing that happened."""

    watch: int
    """The watch that `add` returned; -1 for `Q_OVERFLOW`."""
    events: InotifyEvents
    cookie: int
    """The same for the two halves of a renaming; 0 otherwise."""
    name: str
    """Which file of the watched folder; empty when it happened to what is watched itself."""


class Inotify(Descriptor):
    """Watches on files and folders, and the queue of what happened. Linux 2.6.27.

    A folder's watch is not for the folders inside it. Two paths to one file have one watch.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(inotify_init1(_FLAGS))

    def add(self, path: str | bytes | os.PathLike[Any], events: InotifyEvents = InotifyEvents.ALL) -> int:
        """Watch a file or folder: the number of the watch.

        Raises ForeignOSError (FileNotFoundError, PermissionError, NotADirectoryError with `ONLYDIR` ...).
        """
        name: Any = os.fsencode(path)  # a string of C is bytes, too, and has no NUL inside
        return inotify_add_watch(self.fileno(), name, InotifyEvents(events))

    def remove(self, watch: int) -> None:
        """End a watch; an `IGNORED` event follows. Raises ForeignOSError (EINVAL) for one that has ended already."""
        inotify_rm_watch(self.fileno(), watch)

    def read(self, timeout: float | None = None, size: int = 16 * _LONGEST) -> list[InotifyEvent]:
        """What happened since, in order: waits for the first, up to `timeout` seconds; at most `size` bytes of it.

        Raises WaitTimeoutError, ClosedDescriptorError.
        """
        if size < _LONGEST:
            raise ArgumentValueError(f"size={size}: an event with a long name takes {_LONGEST} bytes")
        buffer = alloc(c.uint8, size, align=8)
        count = self._attempt(lambda fd: read(fd, buffer, size), timeout)
        found, at = [], 0
        while at < count:
            event = (buffer + at).cast(inotify_event)[0]
            name = bytes_at(buffer + at + _HEAD, event.len).rstrip(b"\0")
            found.append(InotifyEvent(event.wd, InotifyEvents(event.mask), event.cookie, os.fsdecode(name)))
            at += _HEAD + event.len
        return found
