"""Binding many functions, each sample in a fresh process: generated code is kept for as long as a process
lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ... import child
from ...building.workshop import Workshop
from ...contestant import PEERS, Contestant, Gil
from ...peers import cffi_peer, ctypes_peer, ours
from ...prototype import Prototype
from ...statistics import median
from ...suite import Sampler
from . import sources


def _bind(
    path: str, prototypes: Sequence[Prototype], contestant: Contestant
) -> Mapping[str, Callable[..., Any]]:
    match contestant.peer.key:
        case "ctypes":
            return ctypes_peer.bind(path, prototypes, contestant.gil)
        case "cffi-abi":
            return cffi_peer.bind_abi(path, prototypes).functions
    return ours.bind(path, prototypes, contestant)


def sample(workshop: Workshop, contestant: Contestant) -> dict[str, float]:
    """One sample of each figure."""
    path = str(workshop.library("scale", sources.target(), "-O1"))
    key = contestant.peer.key
    return {
        **child.run(f"{__name__}:bind_all", path, key),
        **child.run(f"{__name__}:first_calls", path, key),
    }


def bind_all(path: str, peer: str) -> dict[str, float]:
    """Run in a fresh process: milliseconds to bind every function, and the bytes of code that took."""
    contestant = Contestant(PEERS[peer], Gil.RELEASED)
    before = ours.warm_up(contestant)
    started = time.perf_counter()
    bound = _bind(path, sources.PROTOTYPES, contestant)
    found = {"bind": (time.perf_counter() - started) * 1e3}
    assert len(bound) == len(sources.PROTOTYPES), (
        f"only {len(bound)} of {len(sources.PROTOTYPES)} are supported"
    )
    after = ours.code_bytes(contestant)
    if before is not None and after is not None:
        found["code"] = after - before
    return found


def first_calls(path: str, peer: str) -> dict[str, float]:
    """Run in a fresh process: microseconds to bind and first call a function of a signature not seen
    before."""
    contestant = Contestant(PEERS[peer], Gil.RELEASED)
    ours.warm_up(contestant)
    _bind(path, [], contestant)
    times = []
    for prototype in sources.PROTOTYPES[: sources.SIGNATURES]:
        arguments = [sources.ARGUMENTS[word] for word in prototype.parameters]
        started = time.perf_counter()
        _bind(path, [prototype], contestant)[prototype.name](*arguments)
        times.append((time.perf_counter() - started) * 1e6)
    return {"first": median(times), "slowest": max(times)}


SAMPLERS: dict[str, Sampler] = dict.fromkeys(
    ("ours-trampoline", "ours-libffi", "ours-ctypes", "layer-trampoline", "ctypes"), sample
)
