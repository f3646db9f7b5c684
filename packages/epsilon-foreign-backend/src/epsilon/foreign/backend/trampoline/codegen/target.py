"""What the code generator must know of the place where its code will run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..conventions import Convention
from ..cpython import Layout
from ..machine import Machine


class RecordOffsets(NamedTuple):
    """Offsets in bytes, from the start of a function's record, of what stubs read there."""

    target: int
    """The address to call, a machine word."""
    fallback: int
    """A strong reference to the Python callable that takes over."""
    finish: int
    """A strong reference to `Binding.finish`; only read by stubs whose spec has a guard."""
    table: int = 0
    """A word: the address of the table of words that `spec.TABLE_RESULT` and `spec.TABLE_TYPES` describe."""
    spares: tuple[int, int] = (0, 0)
    """Two references that stubs set: the last objects that they made, to be used again."""
    closed: int = 0
    """A strong reference to True while the library is closed; 0 where stubs need not ask."""


class PendingTarget(NamedTuple):
    """Where the exceptions of callbacks wait to be raised, see `pending`; addresses."""

    word: int
    """The word that is not 0 while there are any."""
    kept: int
    """The list with an item for each."""
    key: int
    """What a thread's dictionary has its box under."""
    box: int
    """The type of boxes."""
    error: int
    """Offset of the reference in a box."""


class Target(NamedTuple):
    """A processor, its conventions by name, the interpreter's layout, and where its functions are."""

    machine: Callable[[], Machine]
    conventions: Mapping[str, Convention]
    layout: Layout
    record: RecordOffsets
    address: Callable[[str], int]
    """Name of a C-API function, libc function, type or singleton -> its address."""
    pending: PendingTarget
    own_state: bool | None = None
    """See `cpython.own_state`."""
