"""Pointers: what may be read through them, arithmetic, slices, casts, and what is refused."""

from __future__ import annotations

import gc
import weakref

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    AlignmentError,
    ArgumentTypeError,
    Array,
    BoundsError,
    Const,
    ConstError,
    DeclarationError,
    LifetimeError,
    NullPointerError,
    Pointer,
    addressof,
    alloc,
    array,
    from_buffer,
    make_aggregate,
    new,
    null,
    pointer,
    sizeof,
    typeof,
)

T = TYPES
point = make_aggregate("point", {"x": T["int"], "y": T["int"]})


def test_elements_are_read_and_written() -> None:
    p = alloc(T["int"], 4)
    p[0], p[3] = 1, -4
    assert (p[0], p[1], p[3], len(p), list(p)) == (1, 0, -4, 4, [1, 0, 0, -4])


@pytest.mark.parametrize("index", [4, -1, 2**40, -(2**40)])
def test_an_index_out_of_bounds_reads_nothing(index: int) -> None:
    p = alloc(T["int"], 4)
    for access in (lambda: p[index], lambda: p.__setitem__(index, 1)):
        with pytest.raises(
            BoundsError, match=rf"Pointer\[int\]\[{index}\]: the index is out of bounds, 0 to 3"
        ):
            access()
    assert issubclass(BoundsError, IndexError)


def test_arithmetic_moves_by_elements_and_checks_only_on_access() -> None:
    p = alloc(T["int"], 4)
    p[2] = 7
    assert (p + 2)[0] == (p + 3)[-1] == (2 + p)[0] == ((p + 10) - 8)[0] == 7
    assert (p + 3) - p == 3 and p - (p + 3) == -3
    assert (p + 1).address == p.address + 4
    with pytest.raises(BoundsError, match="-10 to -7"):
        (p + 10)[0]
    with pytest.raises(OverflowError):
        p - 2**70
    with pytest.raises(TypeError):
        p + 1.5
    with pytest.raises(TypeError, match="differ in size"):
        p - alloc(T["double"])


def test_pointers_compare_by_address() -> None:
    p = alloc(T["int"], 4)
    assert p == p + 0 and p != p + 1 and p < p + 1 <= p + 1 and p + 2 > p >= p
    assert len({p, p + 0, p + 1}) == 2
    assert p.cast(T["char"]) == p
    assert p != p.address and int(p) == p.address


def test_null_is_false_and_cannot_be_read() -> None:
    for nothing in (null(T["int"]), Pointer[T["int"]].from_address(0), null(None)):
        assert not nothing and nothing.address == 0
    with pytest.raises(NullPointerError, match=r"Pointer\[int\]\[0\]: the pointer is NULL"):
        null(T["int"])[0]
    with pytest.raises(NullPointerError):
        null(point)[0] = point()
    with pytest.raises(NullPointerError):
        null(point).bounded(2)
    assert repr(null(point)) == "<Pointer[point] NULL>"


def test_an_address_has_no_bounds_until_they_are_stated() -> None:
    values = array(T["int"], [5, 3, 9])
    raw = Pointer[T["int"]].from_address(values.address)
    for access in (
        lambda: raw[0],
        lambda: len(raw),
        lambda: list(raw),
        lambda: raw[0:2],
        lambda: memoryview(raw),
    ):
        with pytest.raises((BoundsError, SystemError)):
            access()
    assert raw.bounded(3)[2] == 9 and list(raw.bounded(2)) == [5, 3]
    with pytest.raises(BoundsError):
        raw.bounded(2)[2]
    with pytest.raises(BoundsError):
        raw.bounded(2).bounded(3)
    with pytest.raises(ValueError):
        raw.bounded(-1)


def test_a_pointer_type_may_promise_a_number_of_elements() -> None:
    values = array(T["int"], [5, 3, 9])
    p = Pointer[T["int"], 3].from_address(values.address)
    assert list(p) == [5, 3, 9]
    assert Pointer[T["int"], 3] is Pointer[T["int"], 3] is not Pointer[T["int"]]


def test_types_are_made_once() -> None:
    assert Pointer[T["int"]] is Pointer[T["int"]]
    assert Pointer[point] is type(pointer(point()))
    assert typeof(pointer(point())) is Pointer[point]
    assert Pointer[Pointer[T["int"]]].__name__ == "Pointer[Pointer[int]]"


def test_a_pointer_is_not_constructed_from_a_value() -> None:
    with pytest.raises(TypeError, match="from_address"):
        Pointer[T["int"]](5)


def test_a_slice_is_an_array_over_the_same_memory() -> None:
    p = alloc(T["int"], 5)
    part = p[1:4]
    part[0] = 7
    assert p[1] == 7 and len(part) == 3
    p[0:3] = [1, 2, 3]
    assert list(p[:]) == [1, 2, 3, 0, 0] and list((p + 2)[-2:1]) == [1, 2, 3]
    assert len(p[2:2]) == 0 and len(p[5:5]) == 0
    for bad in (slice(0, 6), slice(-1, 2), slice(6, 6)):
        with pytest.raises(BoundsError):
            p[bad]
    with pytest.raises(ValueError, match="step"):
        p[0:4:2]
    with pytest.raises(ValueError, match="expected 3 elements"):
        p[0:3] = [1, 2]
    assert list(p) == [1, 2, 3, 0, 0]


def test_an_element_that_does_not_fit_is_refused_whole() -> None:
    p = alloc(T["int8"], 3)
    with pytest.raises(OverflowError, match=r"\[1\]: 300 does not fit int8"):
        p[0:3] = [1, 300, 2]
    assert list(p) == [0, 0, 0]


def test_structs_are_seen_through_pointers() -> None:
    p = alloc(point, 3)
    p[1].x = 5
    p[2] = point(8, 9)
    p[0] = (1, 2)
    assert [(each.x, each.y) for each in p] == [(1, 2), (5, 0), (8, 9)]
    assert pointer(p[2])[0] == point(8, 9)


def test_a_cast_keeps_address_and_bounds() -> None:
    p = alloc(T["uint32"], 2)
    p[0] = 0x04030201
    octets = p.cast(T["uint8"])
    assert list(octets) == [1, 2, 3, 4, 0, 0, 0, 0]
    assert octets.cast(T["uint32"])[0] == 0x04030201
    with pytest.raises(AlignmentError, match="not a multiple of 4"):
        (octets + 1).cast(T["uint32"])[0]
    with pytest.raises(BoundsError):
        octets.cast(T["uint64"])[1]
    with pytest.raises(DeclarationError):
        octets.cast(int)


def test_void_must_be_cast_before_it_is_read() -> None:
    p = alloc(T["int"], 1).cast(None)
    for access in (lambda: p[0], lambda: p + 1, lambda: len(p)):
        with pytest.raises(DeclarationError, match="void is not known; cast"):
            access()
    assert p.cast(T["int"])[0] == 0


def test_const_memory_is_read_only() -> None:
    p = Pointer[Const[T["int"]]].from_address(addressof(values := array(T["int"], [1, 2]))).bounded(2)
    assert p[1] == 2
    with pytest.raises(ConstError, match=r"Pointer\[Const\[int\]\]\[0\] cannot be written"):
        p[0] = 5
    with pytest.raises(ConstError):
        p[0:2] = [3, 4]
    with pytest.raises(ConstError):
        (p + 1)[0] = 1
    assert list(values) == [1, 2]
    q = Pointer[Const[point]].from_address(addressof(value := point(1, 2))).bounded(1)
    with pytest.raises(ConstError, match=r"point.x cannot be written"):
        q[0].x = 5
    assert value == q[0]


def test_a_pointer_keeps_what_it_points_to_alive() -> None:
    value = point(1, 2)
    alive = weakref.ref(value)
    p = pointer(value)
    member = pointer(value, "y")
    del value
    gc.collect()
    assert p[0].y == member[0] == 2
    del p
    gc.collect()
    assert alive() is not None
    del member
    gc.collect()
    assert alive() is None


def test_a_pointer_to_a_member_has_that_members_bounds() -> None:
    value = point(1, 2)
    p = pointer(value, "y")
    p[0] = 7
    assert value.y == 7 and len(p) == 1
    with pytest.raises(BoundsError):
        p[-1]
    with pytest.raises(AttributeError, match="no member 'z'"):
        pointer(value, "z")
    with pytest.raises(ArgumentTypeError, match="expected a struct, an array or a variable, got int"):
        pointer(5)


def test_pointers_to_pointers() -> None:
    number = new(T["int"], 5)
    cell = new(Pointer[T["int"]], number)
    assert cell[0][0] == 5
    del number
    gc.collect()
    assert cell[0][0] == 5
    cell[0] = None
    assert not cell[0]


def test_pointers_to_arrays_and_arrays_of_pointers() -> None:
    rows = alloc(Array[T["int"], 3], 2)
    rows[1][2] = 6
    assert [list(row) for row in rows] == [[0, 0, 0], [0, 0, 6]]
    names = array(T["string"], ["one", "two", None])
    gc.collect()
    assert list(names) == ["one", "two", None]
    structs = array(Pointer[point], [point(1, 2), point(3, 4)])
    gc.collect()
    assert structs[1][0] == point(3, 4)


def test_the_type_of_what_is_stored_is_checked() -> None:
    cell = new(Pointer[T["int"]])
    cell[0] = array(T["int32"], [1])  # the same machine type
    for wrong in (array(T["double"], [1]), point(), 5, "x", alloc(T["uint"])):
        with pytest.raises(ArgumentTypeError, match=r"expected Pointer\[int\], got"):
            cell[0] = wrong


def test_released_memory_is_not_read() -> None:
    p = alloc(T["int"], 4)
    part, moved = p[1:3], p + 1
    p.release()
    for access in (
        lambda: p[0],
        lambda: moved[0],
        lambda: part[0],
        lambda: list(part),
        lambda: p.cast(T["char"])[0],
    ):
        with pytest.raises(LifetimeError, match="it was freed"):
            access()


def test_a_pointer_over_read_only_memory_does_not_write() -> None:
    values = from_buffer(T["uint8"], b"abc")
    assert bytes(values) == b"abc"
    with pytest.raises(ConstError):
        values[0] = 1
    with pytest.raises(ConstError):
        pointer(values)[0] = 1


def test_pointers_copy_but_do_not_pickle() -> None:
    import copy
    import pickle

    p = alloc(T["int"], 2)
    p[1] = 3
    assert copy.copy(p)[1] == copy.deepcopy(p)[1] == 3
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(p)


def test_repr_says_type_address_and_extent() -> None:
    p = alloc(T["int"], 4)
    assert repr(p) == f"<Pointer[int] {p.address:#x}, 4 elements>"
    assert repr(Pointer[T["int"]].from_address(4096)) == "<Pointer[int] 0x1000>"


def test_an_empty_struct_is_no_trouble() -> None:
    empty = make_aggregate("empty", {"none": Array[T["int"], 0]})
    assert sizeof(empty) == 0
    p = pointer(empty())
    assert repr(p).startswith("<Pointer[empty]")
