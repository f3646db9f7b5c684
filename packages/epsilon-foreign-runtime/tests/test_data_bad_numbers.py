"""Counts, sizes, indices and addresses that are none: each refused with a message that says what it was for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import epsilon.foreign.runtime as rt
import pytest
from epsilon.foreign.backend import type_name
from epsilon.foreign.runtime import TYPES, Arena, Pointer, make_aggregate

INT, CHAR = TYPES["int"], TYPES["char"]
pair = make_aggregate("pair", {"x": INT, "y": INT})
holder = make_aggregate("holder", {"one": pair, "other": Pointer[pair]})


@pytest.mark.parametrize("wrong", [2.5, "4", None, b"1"])
@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda wrong: Arena().alloc(INT, wrong), "elements of int"),
        (lambda wrong: rt.alloc(INT, wrong), "elements of int"),
        (lambda wrong: rt.alloc(INT, 4)[wrong], r"index of a Pointer\[int\]"),
        (lambda wrong: rt.array(INT, 4)[wrong], r"index of an Array\[int, 4\]"),
        (lambda wrong: rt.alloc(INT, 4).bounded(wrong), r"Pointer\[int\].bounded"),
    ],
)
def test_what_is_no_integer_counts_nothing(use: Callable[[Any], Any], words: str, wrong: Any) -> None:
    with pytest.raises(rt.ArgumentTypeError, match=words) as caught:
        use(wrong)
    assert str(caught.value).endswith(f"not {type_name(wrong)}")


@pytest.mark.parametrize("wrong", [2.0, "8"])
def test_an_alignment_is_an_integer(wrong: Any) -> None:
    with pytest.raises(rt.ArgumentTypeError, match="align="):
        rt.alloc(INT, align=wrong)


def test_nothing_is_read_for_less_than_no_bytes() -> None:
    text = rt.array(CHAR, b"abc")
    for where in (text, text.address):
        for read in (rt.bytes_at, rt.string_at):
            with pytest.raises(rt.ArgumentValueError, match="-5 bytes"):
                read(where, -5)
            with pytest.raises(rt.ArgumentTypeError, match="float"):
                read(where, 1.5)


def test_a_limit_may_be_larger_than_any_memory() -> None:
    assert rt.string_at(rt.array(CHAR, b"abc\0").address, 2**70) == "abc"


@pytest.mark.parametrize("address", [1, 8, 0xFFFF])
def test_no_memory_lies_at_the_lowest_addresses(address: int) -> None:
    with pytest.raises(rt.NullPointerError, match=hex(address)):
        rt.bytes_at(address, 4)
    with pytest.raises(rt.BoundsError, match=hex(address)):
        Pointer[INT].from_address(address).bounded(1)


def test_no_memory_lies_beyond_the_address_space() -> None:
    for address, count in ((2**64 - 4, 1), (2**20, 2**70), (2**63 - 2, 1)):
        with pytest.raises(rt.BoundsError, match="no memory"):
            Pointer[INT].from_address(address).bounded(count)
    with pytest.raises(rt.ArgumentValueError, match="-1"):
        Pointer[INT].from_address(2**20).bounded(-1)


def test_a_promise_is_void_where_c_returned_no_address_but_minus_one() -> None:
    failed = Pointer[INT, 4].from_address(2**64 - 1)
    assert failed.address == 2**64 - 1
    assert len(failed) == 0
    with pytest.raises(rt.BoundsError):
        failed[0]


@pytest.mark.parametrize("member", ["one", "other"])
def test_what_only_says_that_it_is_a_struct_is_none(member: str) -> None:
    with pytest.raises(rt.ArgumentTypeError, match=rf"holder\.{member}.*pair.*Mock"):
        holder(**{member: Mock(spec=pair)})
