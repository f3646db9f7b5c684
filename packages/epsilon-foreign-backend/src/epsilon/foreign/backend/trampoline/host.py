"""The running process as a `Target`: which machine, which conventions, what the probes found."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .. import pending
from ..errors import BackendUnavailableError
from ..heaptype import slot_offset
from .codegen import PendingTarget, RecordOffsets, Target
from .conventions import Convention
from .cpython import Layout, address, own_state, probe
from .machine import Machine
from .record import RECORD


class Processor(NamedTuple):
    """A machine and the conventions that code for it may use, by the names of `Signature.convention`."""

    machine: Callable[[], Machine]
    conventions: Mapping[str, Convention]


def _x86_64() -> Processor:
    from .conventions.sysv import SYSV
    from .conventions.win64 import WIN64
    from .machine_x86_64 import X86_64Machine

    return Processor(X86_64Machine, {"c": SYSV, "sysv": SYSV, "ms": WIN64})


def _aarch64() -> Processor:
    from .conventions.aapcs64 import AAPCS64
    from .machine_aarch64 import AArch64Machine

    return Processor(AArch64Machine, {"c": AAPCS64, "aapcs64": AAPCS64})


_PROCESSORS = {"x86_64": _x86_64, "amd64": _x86_64, "aarch64": _aarch64, "arm64": _aarch64}


def processor() -> Processor:
    """The processor this runs on. Raises BackendUnavailableError where there is no code generator for it."""
    if sys.implementation.name != "cpython":
        raise BackendUnavailableError(f"stubs are made for CPython, not for {sys.implementation.name}")
    if sys.platform not in ("linux", "android"):
        raise BackendUnavailableError(f"stubs have not been proven on {sys.platform}; they run on Linux")
    machine = os.uname().machine
    find = _PROCESSORS.get(machine.lower())
    if find is None or sys.maxsize <= 2**32:
        raise BackendUnavailableError(
            f"no stubs can be generated for {machine} ({sys.maxsize.bit_length() + 1} bits)"
        )
    return find()


def host_target(layout: Layout | None = None) -> Target:
    """Probe the interpreter, unless a `layout` is given, and describe where stubs will run.

    Raises BackendUnavailableError.
    """
    chip = processor()
    layout = probe() if layout is None else layout
    if not layout.immortal and layout.refcount is None:
        raise BackendUnavailableError(
            "how this interpreter counts references to None, True and False is unknown"
        )
    return Target(
        chip.machine,
        chip.conventions,
        layout,
        RecordOffsets(
            RECORD.target, RECORD.fallback, RECORD.finish, RECORD.table, RECORD.spares, RECORD.closed
        ),
        address,
        PendingTarget(
            pending.COUNT_ADDRESS,
            id(pending.kept),
            id(pending.KEY),
            id(pending.Box),
            slot_offset(pending.Box, "error"),
        ),
        own_state(),
    )
