"""What code in a process of its own may do: limits of resources, and refused system calls.

https://man7.org/linux/man-pages/man2/getrlimit.2.html, https://man7.org/linux/man-pages/man2/seccomp.2.html,
https://man7.org/linux/man-pages/man7/capabilities.7.html
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass

from . import syscalls
from .seccomp import TRAP, Condition, Rule, Test, available, install, refuse

#: open(2): write, read and write, create, truncate. (`O_TMPFILE` needs one of the first two.)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CLONE_THREAD = 0x10000
#: `_LINUX_CAPABILITY_VERSION_3`
_CAPABILITIES = 0x20080522


@dataclass(frozen=True)
class Profile:
    """What a process may do from `apply` on, and its children too. Every field says what is allowed; all is, at first.

    It narrows what code can do by mistake or by simple malice. It is no wall against code that attacks the kernel, nor
    for memory that is shared with the process.
    """

    network: bool = True
    """Make sockets; otherwise EACCES."""
    processes: bool = True
    """Start processes, send signals to other ones; otherwise EPERM, and execve(2) is forbidden. Threads always may."""
    write_files: bool = True
    """Open files for writing, make, rename, remove them or change their rights; otherwise EACCES."""
    capabilities: bool = True
    """Keep the capabilities of root, if the process has them."""
    core_dumps: bool = True
    """Dump core, if the limits say so already."""
    cpu: float | None = None
    """Seconds of processor time, whole ones, then SIGXCPU."""
    file_size: int | None = None
    """Bytes that a file may grow to by writing, then SIGXFSZ."""
    open_files: int | None = None
    """Descriptors, then EMFILE."""
    refused: frozenset[str] = frozenset()
    """System calls by name that fail with EPERM."""
    forbidden: frozenset[str] = frozenset()
    """System calls by name that end the process with SIGSYS."""

    def __post_init__(self) -> None:
        for name in ("refused", "forbidden"):
            given: Iterable[str] = getattr(self, name)
            # A set of letters is what a plain text would become.
            names = frozenset((given,) if isinstance(given, str) else given)
            object.__setattr__(self, name, names)
            unknown = sorted(names - syscalls.ALL.keys())
            if unknown:
                known = ", ".join(sorted(syscalls.ALL))
                raise ValueError(
                    f"Profile({name}=...): unknown system calls {', '.join(unknown)}; known are {known}"
                )
        for name in ("cpu", "file_size", "open_files"):
            limit = getattr(self, name)
            if limit is not None and limit < 0:
                raise ValueError(f"Profile({name}={limit}): a limit is not negative")

    @classmethod
    def untrusted(cls, *, cpu: float | None = None) -> Profile:
        """For code that one does not trust: no network, processes, files to write, capabilities, nor what only the
        system's own programs have business with."""
        return cls(
            network=False,
            processes=False,
            write_files=False,
            capabilities=False,
            core_dumps=False,
            cpu=cpu,
            open_files=256,
            refused=frozenset(syscalls.LIMITS),
            forbidden=frozenset(syscalls.SYSTEM) | frozenset(syscalls.PEEKING),
        )

    def rules(self, pid: int, architecture: str | None = None) -> list[Rule]:
        """The filter of a process `pid`, most specific rules first."""
        found: list[tuple[str, int, Condition | None]] = []
        # Reading one's own limits is what many programs do: prlimit64(2) of others, or with new limits, is refused.
        if "prlimit64" in self.refused | self.forbidden:
            action = TRAP if "prlimit64" in self.forbidden else refuse(errno.EPERM)
            found += [
                ("prlimit64", action, Condition(2, Test.DIFFERENT, 0)),
                ("prlimit64", action, Condition(2, Test.DIFFERENT, 0, high=True)),
            ]
        found += [(name, TRAP, None) for name in sorted(self.forbidden - {"prlimit64"})]
        found += [(name, refuse(errno.EPERM), None) for name in sorted(self.refused - {"prlimit64"})]
        if not self.network:
            found += _NO_NETWORK
        if not self.processes:
            found += _no_processes(pid)
        if not self.write_files:
            found += _NO_WRITING
        rules = []
        for name, action, condition in found:
            number = syscalls.number(name, architecture)
            if number is not None:
                rules.append(Rule(number, action, condition))
        return rules

    def apply(self) -> None:
        """Bind this process, all its threads and children, to the profile for good.

        Raises OSError when the kernel refuses, NotImplementedError where calls cannot be filtered and the profile wants
        them to be.
        """
        self._limit()
        if not self.capabilities:
            _drop_capabilities()
        rules = self.rules(os.getpid()) if available() else None
        if rules is None and self.filters:
            raise NotImplementedError("system calls can be filtered on Linux, x86-64 and AArch64, only")
        if rules:
            install(rules)

    @property
    def filters(self) -> bool:
        """Does it need a filter of system calls?"""
        return bool(
            self.refused or self.forbidden or not (self.network and self.processes and self.write_files)
        )

    def _limit(self) -> None:
        import resource

        limits = {
            resource.RLIMIT_CPU: None if self.cpu is None else max(1, int(-(-self.cpu // 1))),
            resource.RLIMIT_FSIZE: self.file_size,
            resource.RLIMIT_NOFILE: self.open_files,
            resource.RLIMIT_CORE: None if self.core_dumps else 0,
        }
        for which, limit in limits.items():
            if limit is None:
                continue
            _, hard = resource.getrlimit(which)
            most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            # A second more for the hard limit of processor time: SIGXCPU can be caught, and SIGKILL follows there.
            last = most + 1 if which == resource.RLIMIT_CPU and (hard < 0 or most < hard) else most
            resource.setrlimit(which, (most, last))


_Row = tuple[str, int, Condition | None]

#: Programs take ENOSYS for an older kernel, and do without.
_NO_NETWORK: list[_Row] = [
    ("socket", refuse(errno.EACCES), None),
    ("io_uring_setup", refuse(errno.ENOSYS), None),
]

_NO_WRITING: list[_Row] = [
    # The flags of openat2 lie in memory, where a filter cannot look.
    ("openat2", refuse(errno.ENOSYS), None),
    ("creat", refuse(errno.EACCES), None),
    ("open", refuse(errno.EACCES), Condition(1, Test.ANY_BIT, _WRITING)),
    ("openat", refuse(errno.EACCES), Condition(2, Test.ANY_BIT, _WRITING)),
    ("io_uring_setup", refuse(errno.ENOSYS), None),
    *((name, refuse(errno.EACCES), None) for name in syscalls.NAMES),
]


def _no_processes(pid: int) -> list[_Row]:
    no = refuse(errno.EPERM)
    other = Condition(0, Test.DIFFERENT, pid)
    return [
        # The flags of clone3 lie in memory; the C library falls back to clone.
        ("clone3", refuse(errno.ENOSYS), None),
        ("clone", no, Condition(0, Test.NO_BIT, _CLONE_THREAD)),
        ("fork", no, None),
        ("vfork", no, None),
        ("execve", TRAP, None),
        ("execveat", TRAP, None),
        # abort(3) and raise(3) signal the process itself. tkill(2) names a thread of any process.
        ("kill", no, other),
        ("tgkill", no, other),
        ("rt_sigqueueinfo", no, other),
        ("rt_tgsigqueueinfo", no, other),
        ("tkill", no, None),
        *((name, no, None) for name in ("pidfd_open", "pidfd_getfd", "pidfd_send_signal")),
    ]


def _drop_capabilities() -> None:
    """No capability is permitted from now on: capset(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.capset(header, nothing):
        code = ctypes.get_errno()
        raise OSError(code, f"capset(): {os.strerror(code)}")
