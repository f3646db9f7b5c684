"""What happens once: compiling the bindings, loading or binding all 720, and how many bytes that takes.

Each number is taken in a fresh process: an import and a first binding cannot be repeated in one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ... import child
from ...building.cache import Built, Cache
from ...building.workshop import Workshop, load, module_path
from ...contestant import PEERS, Contestant, Gil
from ...loop import CLOCK
from ...peers import cffi_peer, ctypes_peer, ours
from ...prototype import declarations
from ...suite import Sampler
from . import sources

_SIZE = "-Os"


def target(workshop: Workshop) -> Path:
    """The library with the 720 functions. Raises UnavailableError."""
    return workshop.library("micro", sources.target())


def module_name(contestant: Contestant) -> str:
    """What the extension module of a compiled peer is called."""
    return f"micro_{contestant.peer.key.replace('-', '_')}_{contestant.gil.value}"


def build(workshop: Workshop, contestant: Contestant) -> Built | None:
    """The extension module of a compiled peer, built; None for a peer that needs none. Raises
    UnavailableError."""
    release = contestant.gil is Gil.RELEASED
    name, library = module_name(contestant), [target(workshop)]
    match contestant.peer.key:
        case "c":
            return workshop.c_extension(name, sources.handwritten(name, release), library, optimise=_SIZE)
        case "nanobind":
            return workshop.nanobind(name, sources.nanobind(name, release), library)
        case "cython":
            return workshop.cython(name, sources.cython(release), library, optimise=_SIZE)
        case "cffi-api":
            text = declarations(sources.PROTOTYPES)
            return workshop.cffi(name, text, f"#include <stdint.h>\n{text}", library)
    return None


def functions(workshop: Workshop, contestant: Contestant, built: Built | None) -> list[Callable[..., Any]]:
    """All 720, bound or imported."""
    names = [prototype.name for prototype in sources.PROTOTYPES]
    if built is not None:
        module: Any = load(module_name(contestant), built)
        module = module.lib if contestant.peer.key == "cffi-api" else module
        return [getattr(module, name) for name in names]
    path = target(workshop)
    match contestant.peer.key:
        case "cffi-abi":
            bound = cffi_peer.bind_abi(path, sources.PROTOTYPES).functions
        case "ctypes":
            bound = ctypes_peer.bind(path, sources.PROTOTYPES, contestant.gil)
        case _:
            bound = ours.bind(path, sources.PROTOTYPES, contestant)
    return [bound[name] for name in names]


def sample(workshop: Workshop, contestant: Contestant) -> dict[str, float]:
    """One sample of each figure."""
    built = build(workshop, contestant)
    found: dict[str, float] = child.run(
        f"{__name__}:in_child", str(workshop.cache.root), contestant.peer.key, contestant.gil.value
    )
    if built is not None:
        found["make"] = built.seconds
        found["size"] = module_path(module_name(contestant), built).stat().st_size
    return found


def in_child(root: str, peer: str, gil: str) -> dict[str, float]:
    """Run in a fresh process: the time to bind, in milliseconds, and the bytes of code generated for it."""
    workshop = Workshop(Cache(Path(root)))
    contestant = Contestant(PEERS[peer], Gil(gil))
    built = build(workshop, contestant)
    before = ours.warm_up(contestant)
    started = CLOCK()
    bound = functions(workshop, contestant, built)
    found = {"load": (CLOCK() - started) / 1e6}
    # Code is generated when a function is first called, so each has to be called before the bytes are
    # counted.
    for function in bound:
        function(1, 2, 3, 4, 5, 6)
    found["touch"] = (CLOCK() - started) / 1e6
    after = ours.code_bytes(contestant)
    if before is not None and after is not None:
        found["size"] = after - before
    return found


_PEERS = ("c", "nanobind", "cython", "cffi-api", "cffi-abi", "ctypes")
SAMPLERS: dict[str, Sampler] = dict.fromkeys(
    ("ours-trampoline", "ours-libffi", "ours-ctypes", *_PEERS), sample
)
