"""Calls that cannot crash Python: a backend that runs foreign functions in a child process.

Three processes: the *parent*, whose Python calls; the *child*, which runs the foreign code (`worker`); and between them
the *keeper*, which starts children, watches them by ptrace(2), and tells why one has ended. Parent and child share a
`region` of memory at the same address, which arenas allocate from (`heap`), and a `channel` in it, over which calls,
results and calls back go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from epsilon.foreign.backend import BackendUnavailableError

if TYPE_CHECKING:
    from .backend import IsolatedBackend
    from .profile import Profile

__all__ = ["LEAST_RESERVE", "create", "isolated"]

#: The channel and the thunks of callbacks take some 1.1 MiB of shared memory.
LEAST_RESERVE = 1 << 23


def isolated(
    *,
    timeout: float | None = None,
    memory_limit: int | None = None,
    profile: Profile | None = None,
    descriptors: Sequence[int] = (1, 2),
    reserve: int = 1 << 36,
    traced: bool = True,
) -> IsolatedBackend:
    """A backend that runs every call in a child process, for `use_backend`.

    `timeout`, in seconds, is how long foreign code may run in one call, callbacks not counted. `memory_limit`, in
    bytes, is how much memory it may get for itself beyond what the child starts with. `profile` restricts what it may
    do at all. `descriptors` are the open files that it gets of this process, under the same numbers; by default
    standard output and error. `reserve`, in bytes, is how large the shared memory may grow. With `traced=False` the
    child is not traced by the keeper, so that a debugger can trace it: crashes are still told, but not their addresses
    and backtraces, and memory beyond the limit is refused to C without an exception.

    The child is started by the first call or library. Raises BackendUnavailableError where the system lacks what it
    takes (it needs Linux), ValueError for a limit that is not positive or a reserve that is too small.
    """
    from .backend import IsolatedBackend

    for name, limit in (("timeout", timeout), ("memory_limit", memory_limit)):
        if limit is not None and limit <= 0:
            raise ValueError(f"isolated({name}={limit!r}): must be positive")
    if reserve < LEAST_RESERVE:
        raise ValueError(f"isolated(reserve={reserve!r}): at least {LEAST_RESERVE} bytes are needed")
    if profile is not None and profile.filters:
        from .seccomp import available

        if not available():
            raise BackendUnavailableError(
                "the kernel does not filter system calls here, as the profile wants it to"
            )
    return IsolatedBackend(
        timeout=timeout,
        memory_limit=memory_limit,
        profile=profile,
        descriptors=descriptors,
        reserve=reserve,
        traced=traced,
    )


def create() -> IsolatedBackend:
    """The backend named ``isolated``, for `get_backend` and EPSILON_FOREIGN_BACKEND: no limits."""
    return isolated()
