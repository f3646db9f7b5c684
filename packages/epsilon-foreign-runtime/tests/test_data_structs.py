"""Structs and unions: construction, members, views, copies, and what cannot be declared."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    AlignmentError,
    Anonymous,
    ArgumentRangeError,
    ArgumentTypeError,
    Array,
    Bits,
    Const,
    ConstError,
    DeclarationError,
    LayoutError,
    LifetimeError,
    Pointer,
    alignof,
    array,
    asdict,
    astuple,
    bytes_at,
    make_aggregate,
    new,
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


@pytest.mark.parametrize("name", [n for n in T if T[n].abi.is_integer and n not in ("char", "wchar")])
def test_every_integer_type_holds_its_extremes(name: str) -> None:
    holder = make_struct("holder", {"before": T["uint8"], "value": T[name], "after": T["uint8"]})
    low, high = T[name].abi.bounds
    for value in (low, high, 0, 1):
        made = holder(0xAA, value, 0x55)
        assert (made.before, made.value, made.after) == (0xAA, value, 0x55)
    for value in (low - 1, high + 1):
        with pytest.raises(ArgumentRangeError, match=r"holder.value"):
            made.value = value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bool", True),
        ("char", b"\xfe"),
        ("wchar", "ß"),
        ("float", 0.5),
        ("double", 0.1),
        ("longdouble", 1.5),
        ("float_complex", 1 - 2j),
        ("double_complex", 0.1 + 2j),
        ("string", "grüß"),
        ("bytes", b"x"),
        ("string", None),
        ("pointer", 4096),
        ("pointer", None),
    ],
)
def test_every_other_scalar_type_is_a_member(name: str, value: object) -> None:
    holder = make_struct("holder", {"before": T["uint8"], "value": T[name], "after": T["uint8"]})
    made = holder(1, value, 2)
    assert (made.before, made.value, made.after) == (1, value, 2)
    assert type(made.value) is type(value)


@pytest.mark.parametrize("name", ["double", "int64", "longdouble", "double_complex", "string"])
def test_a_packed_member_is_read_and_written_where_it_lies(name: str) -> None:
    values = {"double": 0.1, "int64": -5, "longdouble": 1.5, "double_complex": 1j, "string": "abc"}
    packed = make_struct("packed", {"before": T["char"], "value": T[name]}, pack=1)
    made = packed(b"a", values[name])
    assert made.value == values[name]
    assert sizeof(packed) == 1 + T[name].size
    assert offsetof(packed, "value") == 1


def test_a_struct_in_a_packed_struct_is_a_view_like_any_other() -> None:
    packed = make_struct("packed", {"before": T["char"], "value": rect, "items": Array[T["int"], 2]}, pack=1)
    made = packed(b"a", ((1, 2), (3, 4)), [5, 6])
    made.value.b.x += 10
    made.items[1] = -6
    assert astuple(made) == (b"a", ((1, 2), (13, 4)), [5, -6])
    assert list(made.items[0:2]) == [5, -6]
    with pytest.raises(AlignmentError, match="not a multiple of 4"):
        pointer(made, "items")[0]


def test_a_buffer_cannot_be_a_member() -> None:
    with pytest.raises(DeclarationError, match=r"holder.*buffer|a buffer cannot be stored"):
        make_struct("holder", {"data": T["buffer"]})


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


def test_a_union_shares_its_bytes() -> None:
    value = number(i=0x3F800000)
    assert value.f == 1.0 and bytes(value.bytes) == (0x3F800000).to_bytes(4, "little")
    value.f = 2.0
    assert value.i == 0x40000000
    assert value == number(f=2.0) != number(f=1.0)
    assert number(7).i == 7
    with pytest.raises(ArgumentTypeError, match=r"number\(\) is a union: one member at a time"):
        number(i=1, f=2.0)


def test_bits_hold_what_fits() -> None:
    flags = make_struct("flags", {"a": Bits[T["uint"], 3], "b": Bits[T["uint"], 5], "c": Bits[T["int"], 10]})
    value = flags(a=7, b=31, c=-40)
    assert (value.a, value.b, value.c, sizeof(flags)) == (7, 31, -40, 4)
    value.b = 0
    assert (value.a, value.b, value.c) == (7, 0, -40)
    for name, wrong in (("a", 8), ("a", -1), ("c", 512), ("c", -513)):
        with pytest.raises(ArgumentRangeError, match=rf"flags.{name}: {wrong} does not fit \d+ bits"):
            setattr(value, name, wrong)
    b = flags.__foreign_type__.fields["b"]
    assert (b.kind, b.shift, b.width) == ("bits", 3, 5)
    with pytest.raises(ValueError, match="bit-field"):
        offsetof(flags, "b")


def test_unnamed_bits_are_padding_and_zero_of_them_end_a_unit() -> None:
    padded = make_struct(
        "padded",
        {"a": Bits[T["uint"], 3], "_": Bits[T["uint"], 0], "b": Bits[T["uint"], 3], "_1": Bits[T["uint"], 2]},
    )
    assert sizeof(padded) == 8
    assert repr(padded(1, 2)) == "padded(a=1, b=2)"
    assert bytes(padded(1, 2)) == bytes([1, 0, 0, 0, 2, 0, 0, 0])


def test_one_bit_of_bool_is_a_bool() -> None:
    switches = make_struct("switches", {"on": Bits[T["bool"], 1], "off": Bits[T["bool"], 1]})
    assert (switches(True, False).on, switches(True, False).off) == (True, False)
    with pytest.raises(ArgumentRangeError):
        switches(on=2)


def test_anonymous_members_belong_to_the_struct_around_them() -> None:
    xyz = make_struct("xyz", {"x": T["float"], "y": T["float"]})
    either = make_union("either", {"i": T["int"], "f": T["float"]})
    vector = make_struct("vector", {"id": T["int"], "_0": Anonymous[xyz], "_1": Anonymous[either]})
    value = vector(1, 2.0, 3.0, i=0x3F800000)
    assert (value.id, value.x, value.y, value.f) == (1, 2.0, 3.0, 1.0)
    value.y = 5.0
    assert value._0.y == 5.0
    assert offsetof(vector, "f") == 12
    assert repr(value).startswith("vector(id=1, x=2.0, y=5.0, _1=either(")
    with pytest.raises(DeclarationError, match=r"twice.x is declared twice"):
        make_struct("twice", {"x": T["int"], "_": Anonymous[xyz]})


def test_a_flexible_array_has_as_many_elements_as_there_is_memory() -> None:
    packet = make_struct("packet", {"length": T["uint8"], "data": Array[T["int16"], ...]})
    assert sizeof(packet) == 2
    value = new(packet, 3, flexible=3)
    value.data[:] = [1, 2, 3]
    assert (len(value.data), sizeof(value), list(value.data)) == (3, 8, [1, 2, 3])
    assert len(packet(1).data) == 0
    assert list(copy.copy(value).data) == [1, 2, 3]
    with pytest.raises(IndexError):
        value.data[3]
    with pytest.raises(LayoutError, match="-1 elements"):
        new(packet, flexible=-1)
    with pytest.raises(LayoutError, match="point has no flexible array"):
        new(point, flexible=2)


def test_a_const_member_can_be_given_once() -> None:
    fixed = make_struct("fixed", {"id": Const[T["int"]], "x": T["int"]})
    value = fixed(1, 2)
    value.x = 3
    with pytest.raises(ConstError, match=r"fixed.id cannot be written: it is const"):
        value.id = 5
    assert value.id == 1


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


def test_an_opaque_struct_is_only_pointed_to() -> None:
    opaque = make_struct("opaque", None)
    assert Pointer[opaque].from_address(4096).address == 4096
    for wrong in (
        lambda: opaque(),
        lambda: sizeof(opaque),
        lambda: Array[opaque, 3],
        lambda: array(opaque, 2),
    ):
        with pytest.raises(DeclarationError, match="opaque"):
            wrong()
    with pytest.raises(DeclarationError, match=r"outer.inner: opaque is incomplete"):
        make_struct("outer", {"inner": opaque})
    with pytest.raises(DeclarationError, match="size of opaque is not known"):
        Pointer[opaque].from_address(4096)[0]


@pytest.mark.parametrize(
    ("members", "options", "error", "message"),
    [
        ({"_live": T["int"]}, {}, DeclarationError, r"bad._live: the name is taken"),
        ({"x": int}, {}, DeclarationError, r"bad.x: int is not a C type; did you mean c.int"),
        ({"x": T["void"]}, {}, DeclarationError, r"bad.x: a member cannot be void"),
        ({"x": T["int"]}, {"pack": 3}, LayoutError, r"bad: pack=3"),
        ({"x": T["int"]}, {"align": 24}, LayoutError, r"bad: align=24 is not a power of two"),
        ({"x": Bits[T["int"], 33]}, {}, LayoutError, r"bad.x: a bit-field of int.* not 33"),
        ({"x": Bits[T["int"], 0]}, {}, LayoutError, r"bad.x: a bit-field of 0 bits has no name"),
        ({"x": Bits[T["float"], 3]}, {}, DeclarationError, r"bad.x: a bit-field is of an integer type"),
        (
            {"x": Array[T["int"], ...], "y": T["int"]},
            {},
            DeclarationError,
            r"bad.x: a flexible array is the last",
        ),
        ({"x": Array[T["int"], ...]}, {}, DeclarationError, r"bad.x: a flexible array cannot be the only"),
    ],
)
def test_what_c_has_no_meaning_for_is_refused_by_name(members, options, error, message) -> None:
    with pytest.raises(error, match=message):
        make_struct("bad", members, **options)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Array[T["int"], -1], LayoutError, "-1 elements"),
        (lambda: Array[T["int"], 2**62], LayoutError, "more than"),
        (lambda: Array[T["int"], 1.5], DeclarationError, "1.5.*the length is an int"),
        (lambda: Array[T["void"], 2], DeclarationError, "no arrays of void"),
        (lambda: Array[T["int"], 2, 3], DeclarationError, "got 3 parameters"),
        (lambda: Bits[T["int"]], DeclarationError, "Bits"),
        (lambda: Anonymous[T["int"]], DeclarationError, "only a struct or a union may be anonymous"),
        (lambda: Pointer[int], DeclarationError, "int is not a C type"),
    ],
)
def test_a_type_that_cannot_be_is_refused(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make()


def test_contents_are_bytes_of_the_struct() -> None:
    assert (
        bytes(point(1, 2)) == bytes_at(point(1, 2)) == (1).to_bytes(4, "little") + (2).to_bytes(4, "little")
    )
    view = memoryview(value := point(1, 2))
    view[0] = 9
    assert value.x == 9
