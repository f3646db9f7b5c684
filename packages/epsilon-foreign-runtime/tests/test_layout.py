"""Where members lie, by hand-checked examples; `tests-integration` compares thousands with a compiler."""

from __future__ import annotations

import sys

import pytest
from epsilon.foreign.backend import (
    BOOL,
    DOUBLE,
    INT8,
    INT16,
    INT32,
    INT64,
    LONGDOUBLE,
    POINTER,
    UINT8,
    UINT32,
    VOID,
    AbiType,
    ForeignError,
    Kind,
    aggregate,
)
from epsilon.foreign.runtime.errors import DeclarationError, LayoutError
from epsilon.foreign.runtime.layout import AAPCS64, SYSTEM_V, Layout, Member, lay_out


def offsets(layout: Layout) -> list[int]:
    return [placed.offset for placed in layout.placed]


def bit(layout: Layout, index: int) -> int:
    return 8 * layout.placed[index].offset + layout.placed[index].shift


def write(layout: Layout, index: int, data: bytearray, value: int) -> None:
    placed = layout.placed[index]
    here = slice(placed.offset, placed.offset + placed.size)
    mask = (1 << placed.width) - 1
    bits = int.from_bytes(data[here], sys.byteorder) & ~(mask << placed.shift)
    data[here] = (bits | (value & mask) << placed.shift).to_bytes(placed.size, sys.byteorder)


def test_members_are_aligned_and_the_end_is_padded() -> None:
    layout = lay_out([Member("tag", INT8), Member("value", DOUBLE), Member("small", INT16, count=3)])
    assert (layout.size, layout.alignment, offsets(layout)) == (24, 8, [0, 8, 16])
    assert [placed.size for placed in layout.placed] == [1, 8, 6]


def test_a_union_is_as_large_as_its_largest_member() -> None:
    layout = lay_out([Member("i", INT32), Member("bytes", UINT8, count=6)], union=True)
    assert (layout.size, layout.alignment, offsets(layout)) == (8, 4, [0, 0])


def test_an_empty_struct_has_no_size() -> None:
    assert lay_out([])[:2] == (0, 1)


@pytest.mark.parametrize(
    ("pack", "size", "where"), [(1, 13, [0, 1, 5]), (2, 14, [0, 2, 6]), (4, 16, [0, 4, 8])]
)
def test_pack_caps_alignment(pack: int, size: int, where: list[int]) -> None:
    layout = lay_out([Member("c", INT8), Member("i", INT32), Member("d", DOUBLE)], pack=pack)
    assert (layout.size, layout.alignment, offsets(layout)) == (size, pack, where)


def test_pack_does_not_reach_into_a_nested_struct() -> None:
    inner = lay_out([Member("c", INT8), Member("i", INT32)])
    type = aggregate(inner.size, inner.alignment, inner.fields, "inner")
    assert lay_out([Member("c", INT8), Member("inner", type)], pack=1)[:2] == (9, 1)


def test_packed_and_pack_differ_for_a_member_with_an_alignment_of_its_own() -> None:
    members = [Member("c", INT8), Member("i", INT32, align=8)]
    assert offsets(lay_out(members, packed=True)) == [0, 8]
    assert offsets(lay_out(members, pack=1)) == [0, 1]


def test_align_on_the_type_pads_whatever_the_pack() -> None:
    assert lay_out([Member("c", INT8)], align=16, pack=1)[:2] == (16, 16)


def test_a_flexible_array_takes_no_room_and_aligns() -> None:
    layout = lay_out([Member("n", INT32), Member("tail", INT8, flexible=True)])
    assert (layout.size, layout.flexible_offset) == (4, 4)
    layout = lay_out([Member("n", INT64), Member("c", INT8), Member("tail", INT8, flexible=True)])
    assert (layout.size, layout.flexible_offset) == (16, 9)


def test_bit_fields_share_a_unit_and_do_not_cross_their_types_boundary() -> None:
    layout = lay_out([Member("a", UINT32, 3), Member("b", UINT32, 5), Member("c", INT32, 30)])
    assert layout.size == 8
    assert [(p.offset, p.size, p.shift, p.width) for p in layout.placed] == [
        (0, 1, 0, 3),
        (0, 1, 3, 5),
        (4, 4, 0, 30),
    ]


@pytest.mark.parametrize("pack", [1, 2, 4, 8, 16])
def test_any_pack_lets_bit_fields_cross_their_types_boundary(pack: int) -> None:
    members = [Member("a", UINT32, 20), Member("b", UINT32, 20)]
    assert bit(lay_out(members, pack=pack), 1) == 20
    assert bit(lay_out(members), 1) == 32


def test_what_no_unit_inside_the_struct_holds_is_given_by_its_exact_bytes() -> None:
    three = lay_out([Member("a", UINT32, 20)], pack=1)
    assert (three.size, three.placed[0].size) == (3, 3)
    nine = lay_out([Member("a", UINT8, 4), Member("b", INT64, 64)], pack=1)
    assert (nine.size, nine.placed[1][1:]) == (9, (0, 9, 4, 64))
    data = bytearray(b"\xff" * 9)
    write(nine, 1, data, 0x0123456789ABCDEF)
    assert int.from_bytes(data, sys.byteorder) == 0xF0123456789ABCDEFF


def test_a_zero_width_bit_field_aligns_what_follows_even_when_packed() -> None:
    members = [Member("a", UINT8, 3), Member(None, UINT32, 0), Member("b", UINT8, 3)]
    for details in ({}, {"pack": 1}, {"packed": True}):
        assert offsets(lay_out(members, **details, rules=SYSTEM_V)) == [0, 4, 4]


@pytest.mark.parametrize("width", [0, 5])
def test_an_unnamed_bit_field_aligns_the_struct_on_aarch64_only(width: int) -> None:
    members = [Member("a", UINT8), Member(None, INT32, width)]
    assert lay_out(members, rules=SYSTEM_V).alignment == 1
    assert lay_out(members, rules=AAPCS64).alignment == 4


def test_every_bit_field_is_reached_through_bytes_of_the_struct_alone() -> None:
    for width in range(1, 65):
        for before in range(8):
            lead = [Member("lead", UINT8, before)] if before else []
            layout = lay_out([*lead, Member("x", INT64, width)], pack=1)
            placed = layout.placed[-1]
            data = bytearray(layout.size)
            write(layout, -1, data, -1)
            assert placed.offset >= 0 and placed.offset + placed.size <= layout.size
            assert int.from_bytes(data, "little") == ((1 << width) - 1) << before


def test_fields_describe_the_struct_to_a_backend() -> None:
    layout = lay_out(
        [Member("f", DOUBLE), Member("a", INT32, 5), Member("b", INT32, 20), Member("p", POINTER)]
    )
    type = aggregate(layout.size, layout.alignment, layout.fields)
    assert [(field.offset, field.type, field.count) for field in type.fields] == [
        (0, DOUBLE, 1),
        (8, UINT8, 1),
        (8, UINT8, 4),
        (16, POINTER, 1),
    ]


INCOMPLETE = AbiType(Kind.AGGREGATE, None, 1, "struct node")  # type: ignore[arg-type]
INNER = aggregate(4, 4, (), "inner")

WRONG: dict[str, tuple[list[Member], dict[str, object], type[ForeignError], str]] = {
    "negative width": ([Member("a", INT32, -1)], {}, LayoutError, r"s\.a: .*int32 has 1 to 32 bits, not -1"),
    "too wide": ([Member("a", INT32, 33)], {}, LayoutError, r"s\.a: .*1 to 32 bits, not 33"),
    "wide bool": ([Member("a", BOOL, 2)], {}, LayoutError, "bool has 1 to 1 bits, not 2"),
    "named zero": ([Member("a", INT32, 0)], {}, LayoutError, r"s\.a: .*0 bits has no name"),
    "width no int": ([Member("a", INT32, "3")], {}, DeclarationError, "width .* not '3'"),  # type: ignore[arg-type]
    "bits of double": ([Member("a", DOUBLE, 3)], {}, DeclarationError, r"s\.a: .* not double"),
    "bits of pointer": ([Member("a", POINTER, 3)], {}, DeclarationError, "not pointer"),
    "bits of struct": ([Member("a", INNER, 3)], {}, DeclarationError, "not inner"),
    "array of bits": ([Member("a", INT32, 3, count=2)], {}, DeclarationError, "no arrays of bit-fields"),
    "pack 3": ([Member("a", INT32)], {"pack": 3}, LayoutError, "s: pack=3 is not 1, 2, 4, 8 or 16"),
    "pack 0": ([Member("a", INT32)], {"pack": 0}, LayoutError, "pack=0"),
    "align 6": ([Member("a", INT32)], {"align": 6}, LayoutError, "s: align=6 is not a power of two"),
    "align -8": ([Member("a", INT32)], {"align": -8}, LayoutError, "align=-8"),
    "align huge": ([Member("a", INT32)], {"align": 1 << 40}, LayoutError, "more than 268435456"),
    "member align": ([Member("a", INT32, align=12)], {}, LayoutError, r"s\.a: align=12"),
    "flexible first": (
        [Member("a", INT32, flexible=True), Member("b", INT32)], {}, DeclarationError, "s.a: .* last member",
    ),
    "flexible alone": ([Member("a", INT32, flexible=True)], {}, DeclarationError, "only member"),
    "flexible in union": (
        [Member("b", INT32), Member("a", INT32, flexible=True)], {"union": True}, DeclarationError, "union",
    ),
    "incomplete": ([Member("a", INCOMPLETE)], {}, DeclarationError, r"s\.a: struct node is incomplete"),
    "void": ([Member("a", VOID)], {}, DeclarationError, "cannot be void"),
    "twice": ([Member("a", INT8), Member("a", INT8)], {}, DeclarationError, r"s\.a is declared twice"),
    "negative count": ([Member("a", INT8, count=-1)], {}, LayoutError, r"s\.a: .* -1 elements"),
    "absurd count": ([Member("a", INT64, count=1 << 60)], {}, LayoutError, r"s\.a: .*more than \d+ bytes"),
    "absurd sum": (
        [Member("a", INT8, count=sys.maxsize), Member("b", INT8)], {}, LayoutError, rf"s: .*{sys.maxsize}",
    ),
    "nameless int": ([Member(None, INT32)], {}, DeclarationError, "member 1: .* anonymous, not int32"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_c_has_no_layout_for_is_refused(case: str) -> None:
    members, details, error, words = WRONG[case]
    with pytest.raises(error, match=words) as caught:
        lay_out(members, name="s", **details)  # type: ignore[arg-type]
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError) == (error is LayoutError)


def test_a_long_double_keeps_its_alignment() -> None:
    layout = lay_out([Member("c", INT8), Member("x", LONGDOUBLE)])
    assert layout.alignment == LONGDOUBLE.alignment and layout.placed[1].offset == LONGDOUBLE.alignment
