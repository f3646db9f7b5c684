"""Makes a declaration that shows a fault smaller while it still shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .declarations import Aggregate, Declared


def shrink(type: Aggregate, fails: Callable[[Aggregate], bool], tries: int = 200) -> Aggregate:
    """The smallest declaration found, by `tries` questions at most, for which `fails` is still true."""
    asked = 0
    smaller = True
    while smaller:
        smaller = False
        for candidate in simpler(type):
            asked += 1
            if asked > tries:
                return type
            if fails(candidate):
                type, smaller = candidate, True
                break
    return type


def simpler(type: Aggregate) -> Iterator[Aggregate]:
    """Declarations with one thing less than `type`."""
    members = type.members
    for index in range(len(members)):
        yield replace(type, members=members[:index] + members[index + 1 :])
    for index, member in enumerate(members):
        for less in _simpler_member(member, type.pack):
            yield replace(type, members=(*members[:index], less, *members[index + 1 :]))
    if type.align is not None:
        yield replace(type, align=None)
    if type.packed:
        yield replace(type, packed=False)
    # What is written inside its parent shares the parent's pack.
    if type.pack is not None and not any(isinstance(m.type, Aggregate) and m.name is None for m in members):
        yield replace(type, pack=None)


def _simpler_member(member: Declared, pack: int | None) -> Iterator[Declared]:
    if member.align is not None:
        yield replace(member, align=None)
    if member.dimensions:
        yield replace(member, dimensions=())
    if isinstance(member.type, Aggregate):
        for less in simpler(member.type):
            if member.name is not None or less.pack == pack:
                yield replace(member, type=less)
