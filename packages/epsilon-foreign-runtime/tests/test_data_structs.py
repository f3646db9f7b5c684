"""Structs: construction, views, comparison, copies, lifetime, what they keep alive."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentRangeError,
    ArgumentTypeError,
    Array,
    DeclarationError,
    LifetimeError,
    Pointer,
    alignof,
    array,
    asdict,
    astuple,
    bytes_at,
    make_aggregate,
    offsetof,
    pointer,
    replace,
    sizeof,
    typeof,
)

T = TYPES


def make_struct(name, members, **options):
    return make_aggregate(name, members, module=__name__, **options)


def make_union(name, members, **options):
    return make_aggregate(name, members, union=True, module=__name__, **options)


point = make_struct("point", {"x": T["int"], "y": T["int"]})
rect = make_struct("rect", {"a": point, "b": point})
mixed = make_struct("mixed", {"tag": T["char"], "value": T["double"], "small": Array[T["int16"], 3]})
number = make_union("number", {"i": T["int32"], "f": T["float"], "bytes": Array[T["uint8"], 4]})


def test_members_are_given_by_position_or_keyword_and_the_rest_is_zero() -> None:
    assert (point(1, 2).x, point(1, y=2).y, point(y=2).x, point().y) == (1, 2, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((1, 2, 3), {}, r"point\(\) takes at most 2 members, got 3"),
        ((1,), {"x": 2}, r"point\(\) got member 'x' twice"),
        ((), {"z": 1}, r"point has no member 'z'; it has x, y"),
        (("1",), {}, r"point.x: expected an integer for int, got str"),
    ],
)
def test_a_wrong_argument_of_a_constructor_is_named(arguments, keywords, message) -> None:
    with pytest.raises(ArgumentTypeError, match=message):
        point(*arguments, **keywords)


def test_an_unknown_member_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="z"):
        point().z
    with pytest.raises(AttributeError, match="z"):
        point().z = 1


def test_a_value_that_does_not_fit_names_struct_and_member() -> None:
    value = point(1, 2)
    with pytest.raises(ArgumentRangeError, match=r"point.x: 2147483648 does not fit int"):
        value.x = 2**31
    assert value.x == 1


def test_a_struct_in_a_struct_is_a_view_that_keeps_the_outer_one_alive() -> None:
    value = rect((0, 0), point(3, 4))
    inner = value.b
    inner.x += 1
    assert value.b.x == 4
    alive = weakref.ref(value)
    del value
    gc.collect()
    assert alive() is not None and inner.y == 4
    del inner
    gc.collect()
    assert alive() is None


def test_assigning_a_struct_copies_it() -> None:
    source, target = point(1, 2), rect()
    target.a = source
    source.x = 9
    assert target.a == point(1, 2)
    target.b = target.a
    assert target.b == point(1, 2)


@pytest.mark.parametrize("given", [(5, 6), [5, 6], {"x": 5, "y": 6}])
def test_a_struct_member_may_be_given_as_a_sequence_or_a_mapping(given: object) -> None:
    assert rect(a=given).a == point(5, 6)


def test_a_wrong_sequence_changes_nothing() -> None:
    value = rect((1, 2), (3, 4))
    with pytest.raises(ArgumentTypeError, match=r"rect.a: point\(\) takes at most 2"):
        value.a = (7, 8, 9)
    with pytest.raises(ArgumentTypeError, match=r"rect.a: expected point, got"):
        value.a = mixed()
    with pytest.raises(ArgumentTypeError, match="expected point, got int"):
        value.a = 5
    assert value.a == point(1, 2)


def test_equality_compares_members_and_only_with_the_same_type() -> None:
    assert point(1, 2) == point(1, 2) != point(1, 3)
    assert point(1, 2) != (1, 2)
    other = make_struct("point", {"x": T["int"], "y": T["int"]})
    assert other(1, 2) != point(1, 2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(point())


def test_padding_does_not_make_structs_differ() -> None:
    one, other = mixed(b"a", 1.0, [1, 2, 3]), mixed(b"a", 1.0, [1, 2, 3])
    memoryview(one)[1] = 77
    assert one == other


def test_repr_shows_the_members_and_is_short() -> None:
    assert repr(rect((1, 2), (3, 4))) == "rect(a=point(x=1, y=2), b=point(x=3, y=4))"
    big = make_struct("big", {"values": Array[T["int"], 1000], "text": T["string"]})
    assert repr(big(text="x" * 10_000)).startswith("big(values=Array[int, 1000]([0, 0,")
    assert len(repr(big(text="x" * 10_000))) < 500


def test_repr_of_a_cycle_ends_at_the_pointer() -> None:
    node = make_struct("node", {"value": T["int"], "next": Pointer["node"]})
    one = node(1)
    one.next = pointer(one)
    assert repr(one).startswith("node(value=1, next=<Pointer[node] 0x")


def test_repr_survives_unreadable_members() -> None:
    holder = make_struct("holder", {"text": T["string"]})
    assert "UnicodeDecodeError" in repr(holder(b"\xff"))


def test_copies_are_independent() -> None:
    value = rect((1, 2), (3, 4))
    for copied in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert copied == value and type(copied) is rect
        copied.a.x = 99
    assert value.a.x == 1
    view = value.b
    assert copy.copy(view) == point(3, 4)


def test_a_struct_with_pointers_is_copied_but_not_pickled() -> None:
    holder = make_struct("holder", {"name": T["string"]})
    value = holder("abc")
    copied = copy.copy(value)
    del value
    gc.collect()
    assert copied.name == "abc"
    with pytest.raises(TypeError, match="cannot pickle holder: it holds pointers"):
        pickle.dumps(copied)


def test_replace_changes_a_copy() -> None:
    value = point(1, 2)
    assert replace(value, y=5) == point(1, 5) and value == point(1, 2)
    with pytest.raises(ArgumentTypeError, match="no member 'z'"):
        replace(value, z=1)


def test_asdict_and_astuple_go_all_the_way_down() -> None:
    outer = make_struct(
        "outer", {"name": Array[T["char"], 8], "area": rect, "counts": Array[Array[T["int"], 2], 2]}
    )
    value = outer(b"box", ((1, 2), (3, 4)), [[1, 2], [3, 4]])
    assert asdict(value) == {
        "name": b"box",
        "area": {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}},
        "counts": [[1, 2], [3, 4]],
    }
    assert astuple(value) == (b"box", ((1, 2), (3, 4)), [[1, 2], [3, 4]])
    with pytest.raises(ArgumentTypeError, match="expected a struct"):
        asdict(5)


def test_a_with_block_ends_the_life_of_a_struct() -> None:
    with point(1, 2) as value:
        assert value.x == 1
    with pytest.raises(LifetimeError, match="point"):
        value.x
    with pytest.raises(LifetimeError):
        value.x = 1


def test_a_struct_that_was_never_initialised_cannot_be_read() -> None:
    with pytest.raises(LifetimeError, match="never initialised"):
        point.__new__(point).x


def test_a_match_statement_takes_members_in_order() -> None:
    match point(3, 4):
        case point(x, y):
            assert (x, y) == (3, 4)


def test_fields_say_where_they_lie() -> None:
    y = point.__foreign_type__.fields["y"]
    assert (y.offset, y.size, y.kind, y.code) == (4, 4, "number", "i")
    assert repr(y) == "<field point.y: int at 4, 4 bytes>"


def test_sizes_are_those_of_c() -> None:
    assert (sizeof(rect), sizeof(mixed), alignof(mixed), offsetof(mixed, "small")) == (16, 24, 8, 16)
    assert (sizeof(point()), sizeof(T["long"]), alignof(T["double"])) == (8, T["long"].size, 8)
    assert offsetof(rect, "b.y") == 12
    assert typeof(point(1, 2)) is point
    with pytest.raises(AttributeError, match="point has no member 'q'"):
        offsetof(rect, "b.q")
    with pytest.raises(DeclarationError, match="no members"):
        offsetof(rect, "b.y.z")


@pytest.mark.parametrize("count", [1, 16, 17, 100, 5000])
def test_large_structs_have_memory_of_their_own(count: int) -> None:
    large = make_struct("large", {"values": Array[T["double"], count]})
    one, other = large([0.5] * count), large()
    assert list(one.values) == [0.5] * count and list(other.values) == [0.0] * count


def test_alignment_beyond_that_of_objects_is_kept() -> None:
    wide = make_struct("wide", {"x": T["int"]}, align=64)
    assert sizeof(wide) == alignof(wide) == 64
    assert all(pointer(wide()).address % 64 == 0 for _ in range(20))


def test_a_stored_pointer_keeps_its_target_alive() -> None:
    holder = make_struct("holder", {"target": Pointer[point], "name": T["string"]})
    value = holder(point(1, 2), "name")
    gc.collect()
    assert value.target[0] == point(1, 2) and value.name == "name"
    target = point(5, 6)
    alive = weakref.ref(target)
    value.target = target
    del target
    gc.collect()
    assert value.target[0].x == 5
    value.target = None
    gc.collect()
    assert alive() is None and not value.target


def test_a_pointer_that_c_moved_within_its_target_keeps_the_bounds() -> None:
    holder = make_struct("holder", {"items": Pointer[T["int"]]})
    value = holder(array(T["int"], [1, 2, 3]))
    address = value.items.address
    memoryview(value).cast("Q")[0] = address + 4  # as C would
    assert (value.items[0], value.items[-1], len(value.items)) == (2, 1, 2)
    memoryview(value).cast("Q")[0] = address + 4096
    with pytest.raises(IndexError, match="unknown"):
        value.items[0]


def test_a_copied_struct_keeps_what_it_points_to_alive_too() -> None:
    holder = make_struct("holder", {"target": Pointer[point]})
    pair = make_struct("pair", {"a": holder, "b": holder})
    value = pair()
    value.b = holder(point(7, 8))
    gc.collect()
    assert value.b.target[0] == point(7, 8)
    items = array(holder, 2)
    items[1] = value.b
    del value
    gc.collect()
    assert items[1].target[0].y == 8


def test_recursive_structs_go_through_pointers() -> None:
    node = make_struct("node", {"value": T["int"], "next": Pointer["node"]})
    chain = None
    for value in (3, 2, 1):
        chain = node(value, chain)
    gc.collect()
    seen, here = [], pointer(chain)
    while here:
        seen.append(here[0].value)
        here = here[0].next
    assert seen == [1, 2, 3]


def test_a_ring_of_structs_is_collected() -> None:
    node = make_struct("node", {"next": Pointer["node"]})
    one, two = node(), node()
    one.next, two.next = two, one
    alive = weakref.ref(one)
    del one, two
    gc.collect()
    assert alive() is None


def test_contents_are_bytes_of_the_struct() -> None:
    assert (
        bytes(point(1, 2)) == bytes_at(point(1, 2)) == (1).to_bytes(4, "little") + (2).to_bytes(4, "little")
    )
    view = memoryview(value := point(1, 2))
    view[0] = 9
    assert value.x == 9
