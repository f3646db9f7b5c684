"""How each peer declares the structs and comes by the functions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from ...building.workshop import Workshop
from ...contestant import Contestant, Gil, UnavailableError
from ...operation import Subject
from ...suite import Setup
from . import with_cffi, with_ctypes, with_ours
from .kit import with_calls as calling
from .kit import without_calls

Subjects = Mapping[str, Subject | UnavailableError]


def source(name: str) -> str:
    """The text of a source file that this package carries."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def target(workshop: Workshop) -> Path:
    """The library that every peer calls. Raises UnavailableError."""
    text = source("target.c").replace('#include "target.h"', source("target.h"))
    return workshop.library("data_target", text)


def _set_up_ctypes(workshop: Workshop, contestant: Contestant) -> Subjects:
    if contestant.gil is Gil.UNTOUCHED:
        return without_calls(with_ctypes.kit())
    return calling(with_ctypes.functions(target(workshop), contestant.gil))


def _set_up_cffi(workshop: Workshop, contestant: Contestant) -> Subjects:
    api = contestant.peer.key == "cffi-api"
    opened = (with_cffi.compiled if api else with_cffi.parsed)(workshop, target(workshop), source("target.h"))
    if contestant.gil is Gil.UNTOUCHED:
        return without_calls(with_cffi.kit(opened))
    return calling(with_cffi.functions(opened))


def _set_up_ours(workshop: Workshop, contestant: Contestant) -> Subjects:
    with with_ours.using(contestant) as declared:
        if contestant.gil is Gil.UNTOUCHED:
            return without_calls(with_ours.kit(declared))
        release = contestant.gil is Gil.RELEASED
        return calling(with_ours.functions(declared, target(workshop), release))


SETUPS: dict[str, Setup] = {
    "ours-trampoline": _set_up_ours,
    "ours-libffi": _set_up_ours,
    "ours-ctypes": _set_up_ours,
    "cffi-api": _set_up_cffi,
    "cffi-abi": _set_up_cffi,
    "ctypes": _set_up_ctypes,
}
