"""Backends whose functions run in another process: what the layers above are told of the memory there."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pytest
from epsilon.foreign.backend import (
    RemoteMemoryError,
    check_reach,
    remote_memory,
    remotes,
    string_at,
    use_backend,
)

SHARED = range(0x1000, 0x2000)


class Elsewhere:
    """A backend that is its own remote memory, and shares some addresses."""

    name = "elsewhere"
    capabilities: frozenset[str] = frozenset()

    @property
    def remote(self) -> Elsewhere:
        return self

    def shares(self, address: int, size: int = 1) -> bool:
        return address in SHARED and address + size - 1 in SHARED

    def read_string(self, address: int) -> bytes:
        return b"read there at %#x" % address


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    made = Elsewhere()
    remotes.append(made)  # type: ignore[arg-type]  # as much of one as is asked for here
    yield made
    remotes[:] = [each for each in remotes if each is not made]


def test_addresses_are_of_this_process_unless_such_a_backend_is_in_use(elsewhere: Any) -> None:
    text = ctypes.create_string_buffer(b"here")
    here = ctypes.addressof(text)
    assert remote_memory() is not elsewhere
    assert string_at(here) == b"here"
    check_reach(here, 4)
    with use_backend(elsewhere):
        assert remote_memory() is elsewhere
        assert string_at(0x5000) == b"read there at 0x5000"
    assert string_at(here) == b"here"


def test_an_address_found_in_shared_memory_is_of_the_process_that_shares_it(elsewhere: Any) -> None:
    assert string_at(0x5000, place=SHARED[8]) == b"read there at 0x5000"


def test_what_is_not_shared_is_out_of_reach(elsewhere: Any) -> None:
    with use_backend(elsewhere):
        check_reach(SHARED[0], len(SHARED))
        for address, size in ((SHARED[0], len(SHARED) + 1), (0x5000, 1)):
            with pytest.raises(RemoteMemoryError, match="does not share"):
                check_reach(address, size)


def test_a_pointer_that_knows_where_it_is_from_is_refused_anywhere(elsewhere: Any) -> None:
    with pytest.raises(RemoteMemoryError):
        check_reach(0x5000, 1, elsewhere)
    check_reach(SHARED[0], 1, elsewhere)
