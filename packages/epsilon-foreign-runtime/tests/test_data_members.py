"""Members of every kind: numbers, packed ones, bits, unions, anonymous, const, flexible arrays."""

from __future__ import annotations

import copy

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
    astuple,
    make_aggregate,
    new,
    offsetof,
    pointer,
    sizeof,
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


def test_what_pads_a_long_double_is_left_alone() -> None:
    """The processor's own has 10 bytes on x86; what is left of memory must not show in the others."""
    holder = make_struct(
        "holder", {"before": T["int"], "value": T["longdouble"], "after": Array[T["longdouble"], 2]}
    )
    written = []
    for value in (1.5, 1.5, -2.0):
        made = holder()
        made.value, made.after = value, [value, value]
        written.append(bytes(made))
    size = T["longdouble"].size
    assert written[0] == written[1] != written[2]
    assert written[0][size : 2 * size] == written[0][2 * size : 3 * size]
    if written[0][size + 8 : size + 10] == b"\xff\x3f":
        assert written[0][size + 10 : 2 * size] == bytes(size - 10)
