"""Binding many functions, each sample in a fresh process: generated code is kept for as long as a process
lives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ... import child
from ...building.workshop import Workshop
from ...contestant import PEERS, Contestant, Gil
from ...loop import CLOCK
from ...peers import ctypes_peer, ours
from ...statistics import median
from ...suite import Sampler
from . import sources


@contextmanager
def _binder(path: str, contestant: Contestant) -> Iterator[ours.Binder]:
    """A function that binds one prototype from the library, which is open meanwhile."""
    if contestant.peer.key == "ctypes":
        library = ctypes_peer.open_library(path, contestant.gil)
        yield lambda prototype: ctypes_peer.bind_one(library, prototype)
    else:
        with ours.binder(path, contestant) as bind_one:
            yield bind_one


def sample(workshop: Workshop, contestant: Contestant) -> dict[str, float]:
    """One sample of each figure."""
    path = str(workshop.library("scale", sources.target(), "-O1"))
    key = contestant.peer.key
    return {
        **child.run(f"{__name__}:bind_all", path, key),
        **child.run(f"{__name__}:first_calls", path, key),
    }


def bind_all(path: str, peer: str) -> dict[str, float]:
    """Run in a fresh process: milliseconds to bind every function, those to bind and call each once, and the
    bytes of code that took. Code is generated when a signature is first called, so binding alone would not
    show all that a program pays.
    """
    contestant = Contestant(PEERS[peer], Gil.RELEASED)
    before = ours.warm_up(contestant)
    started = CLOCK()
    with _binder(path, contestant) as bind_one:
        bound = [bind_one(prototype) for prototype in sources.PROTOTYPES]
    found = {"bind": (CLOCK() - started) / 1e6}
    for prototype, function in zip(sources.PROTOTYPES, bound, strict=True):
        function(*[sources.ARGUMENTS[word] for word in prototype.parameters])
    found["use"] = (CLOCK() - started) / 1e6
    after = ours.code_bytes(contestant)
    if before is not None and after is not None:
        found["code"] = after - before
    return found


def first_calls(path: str, peer: str) -> dict[str, float]:
    """Run in a fresh process: microseconds to bind and first call a function of a signature not seen
    before."""
    contestant = Contestant(PEERS[peer], Gil.RELEASED)
    ours.warm_up(contestant)
    times = []
    with _binder(path, contestant) as bind_one:
        for prototype in sources.PROTOTYPES[: sources.SIGNATURES]:
            arguments = [sources.ARGUMENTS[word] for word in prototype.parameters]
            started = CLOCK()
            bind_one(prototype)(*arguments)
            times.append((CLOCK() - started) / 1e3)
    return {"first": median(times), "slowest": max(times)}


SAMPLERS: dict[str, Sampler] = dict.fromkeys(
    ("ours-trampoline", "ours-libffi", "ours-ctypes", "layer-trampoline", "ctypes"), sample
)
