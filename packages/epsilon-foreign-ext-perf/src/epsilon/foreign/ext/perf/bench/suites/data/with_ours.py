"""The suite's structs and functions through the api, on the contestant's backend.

Structs take their machine code from the backend that is in use when they are declared, arrays and pointers
from the one in use when the first of their type is made. `int` is therefore a type of the contestant's own,
unless it is on the backend that everybody gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ...contestant import Contestant, Peer, UnavailableError
from ...peers import ours
from .kit import Functions, Kit, Making
from .operations import BLOCK, BYTES, ENTRY, LENGTH, POINT


class Declared(NamedTuple):
    """The api and the types; `shared` is why what a process has only once is not on this backend."""

    api: Any
    int: Any
    point: Any
    entry: Any
    block: Any
    shared: UnavailableError | None


@contextmanager
def using(contestant: Contestant) -> Iterator[Declared]:
    """The types, with the contestant's backend in use within the ``with`` block. Raises UnavailableError."""
    backend = ours.require(contestant.peer)
    from epsilon.foreign import api

    number, shared = own_int(contestant.peer)
    with api.use_backend(backend):
        make, c = api.make_struct, api.c
        yield Declared(
            api,
            number,
            make("point", {"x": c.int, "y": c.int}),
            make("entry", {"count": c.int, "amount": c.double}),
            make(
                "block",
                {"a": c.double, "b": c.double, "c": c.long, "d": c.long, "e": c.int, "f": c.int},
            ),
            shared,
        )


def own_int(peer: Peer) -> tuple[Any, UnavailableError | None]:
    """`c.int` for the process's backend; for another a type of its own, and the reason why what a process has
    only once cannot be measured on it."""
    from epsilon.foreign import api

    default = api.select_backend().name
    if peer.backend == default:
        return api.c.int, None
    reason = UnavailableError(f"a process has one backend for this, here {default}")
    return api.define_type(f"int on {peer.backend}", api.c.int, replace=True), reason


def kit(declared: Declared) -> Kit:
    """Data without calls."""
    api = declared.api
    memory = Making(f"alloc(char, {BYTES})", {"Arena": api.Arena, "char": api.c.char})
    return Kit(
        entry=declared.entry,
        numbers=lambda: api.array(declared.int, LENGTH),
        pointer=lambda: (api.alloc(declared.int, LENGTH), None),
        point=Making("make(x, y)", {"make": declared.point}),
        memory=declared.shared or memory,
        scope="Arena() as arena",
    )


def functions(declared: Declared, path: Path, release: bool) -> Functions:
    """The functions, and structs to pass."""
    api, _, point, entry, block, _ = declared
    bind = api.Library(str(path)).bind
    made = point(*POINT)
    return Functions(
        bind("swap_point", point, [point], release_gil=release),
        bind("step_entry", entry, [entry], release_gil=release),
        bind("swap_block", block, [block], release_gil=release),
        bind("add_point", api.c.int, [api.Pointer[point]], release_gil=release),
        point=made,
        entry=entry(*ENTRY),
        block=block(*BLOCK),
        lent=made,
        pointer=api.pointer(made),
    )
