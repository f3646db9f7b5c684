"""Who is measured: the peers, ourselves, and the two ways of treating the interpreter's lock.

A comparison is fair only between contestants that treat the lock alike: releasing and retaking it costs about
as much as everything else in a short call
(https://docs.python.org/3/c-api/init.html#releasing-the-gil-from-extension-code).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import NamedTuple


class Gil(enum.Enum):
    """What happens to the interpreter's lock during the foreign call."""

    UNTOUCHED = "untouched"  #: no foreign call is made: reading a field, making an object
    HELD = "held"
    RELEASED = "released"


#: The treatments that a foreign call can have.
BOTH = (Gil.HELD, Gil.RELEASED)


class Peer(NamedTuple):
    """One way to call C. `key` is what ``--peers`` takes, `title` what tables show.

    `gils` are the treatments that its calls can have; what makes no call, every peer does untouched.
    `kind` is "ours" for the api on one backend, "layer" for the backend without the api, "peer" for the
    others. `backend` names the backend of the first two kinds.
    """

    key: str
    title: str
    gils: tuple[Gil, ...] = BOTH
    kind: str = "peer"
    backend: str = ""

    def __str__(self) -> str:
        return self.key

    def treats(self, gil: Gil) -> bool:
        """Can this peer's operations treat the lock like that?"""
        return gil is Gil.UNTOUCHED or gil in self.gils


class Contestant(NamedTuple):
    """A peer with one treatment of the lock: one column of a table."""

    peer: Peer
    gil: Gil

    def __str__(self) -> str:
        return f"{self.peer.key}/{self.gil.value}"


PEERS: dict[str, Peer] = {
    peer.key: peer
    for peer in (
        Peer("ours-trampoline", "Epsilon Foreign", kind="ours", backend="trampoline"),
        Peer("ours-libffi", "Epsilon on libffi", kind="ours", backend="libffi"),
        Peer("ours-ctypes", "Epsilon on ctypes", kind="ours", backend="ctypes"),
        Peer("layer-trampoline", "our backend alone", kind="layer", backend="trampoline"),
        Peer("c", "hand-written C"),
        Peer("nanobind", "nanobind"),
        Peer("cython", "Cython"),
        # cffi lets go of the lock around every call and cannot be told otherwise.
        Peer("cffi-api", "cffi API mode", gils=(Gil.RELEASED,)),
        Peer("cffi-abi", "cffi ABI mode", gils=(Gil.RELEASED,)),
        # The two ways in which cffi lets C call Python; the first is made at run time, the second compiled.
        Peer("cffi-callback", "cffi callback", gils=(Gil.RELEASED,)),
        Peer("cffi-extern", 'cffi extern "Python"', gils=(Gil.RELEASED,)),
        Peer("ctypes", "ctypes"),
        Peer("stdlib", "standard library", gils=(Gil.RELEASED,)),
    )
}


class UnavailableError(Exception):
    """A peer that cannot take part here; the message is the reason, for the report."""


def choose(names: Iterable[str] | None) -> list[Peer]:
    """The peers that `names` mean: exact keys, or the part before a dash ("ours", "cffi"). None means all.

    Raises ValueError naming what is unknown.
    """
    if names is None:
        return list(PEERS.values())
    wanted: set[str] = set()
    for name in names:
        keys = {key for key in PEERS if key == name or key.startswith(f"{name}-")}
        if not keys:
            raise ValueError(f"no peer is called {name!r}; there are {', '.join(PEERS)}")
        wanted |= keys
    return [peer for key, peer in PEERS.items() if key in wanted]
