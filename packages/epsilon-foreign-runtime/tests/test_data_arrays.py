"""Arrays: sequences over memory, text, buffers both ways."""

from __future__ import annotations

import copy
import gc
import sys
import weakref

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentError,
    ArgumentTypeError,
    ArgumentValueError,
    Array,
    BoundsError,
    ConstError,
    LayoutError,
    array,
    from_buffer,
    make_aggregate,
    new,
    pointer,
    sizeof,
    typeof,
)

T = TYPES
point = make_aggregate("point", {"x": T["int"], "y": T["int"]})


def test_an_array_is_a_sequence() -> None:
    values = array(T["int"], [5, 3, 9])
    assert (len(values), list(values), values[-1], values[0:2] == [5, 3]) == (3, [5, 3, 9], 9, True)
    values[0], values[-1] = 7, 8
    assert values == [7, 3, 8] == values and values != [7, 3] and 3 in values and 4 not in values
    assert list(reversed(values)) == [8, 3, 7]
    assert sizeof(values) == 12 and typeof(values).name == "Array[int, 3]"
    assert repr(values) == "Array[int, 3]([7, 3, 8])"


@pytest.mark.parametrize("index", [3, -4, 2**80])
def test_an_index_out_of_bounds_is_an_index_error(index: int) -> None:
    values = array(T["int"], 3)
    with pytest.raises(BoundsError, match=r"Array\[int, 3\]\[.*\]: the index is out of bounds, -3 to 2"):
        values[index]
    with pytest.raises(IndexError):
        values[index] = 1


def test_an_index_must_be_an_integer() -> None:
    values = array(T["int"], 3)
    with pytest.raises(TypeError):
        values["0"]
    with pytest.raises(TypeError):
        values[0.0]


def test_a_slice_is_a_view() -> None:
    values = array(T["int"], range(6))
    middle = values[2:4]
    middle[0] = 20
    assert values[2] == 20 and len(values[4:2]) == 0 and list(values[-2:]) == [4, 5]
    values[0:2] = (8, 9)
    values[4:] = values[0:2]
    assert list(values) == [8, 9, 20, 3, 8, 9]
    values[1:5] = values[0:4]  # overlapping
    assert list(values) == [8, 8, 9, 20, 3, 9]
    with pytest.raises(ValueError, match="step is 1, not 2"):
        values[::2]


@pytest.mark.parametrize(
    ("init", "error"),
    [
        (-1, LayoutError),
        (2.0, ArgumentTypeError),
        (True, ArgumentTypeError),
        (None, ArgumentTypeError),
        ({1: 2}, ArgumentTypeError),
        ([1, "2"], ArgumentTypeError),
        ([1, 2**40], OverflowError),
        (2**62, LayoutError),
    ],
)
def test_what_an_array_cannot_be_made_of(init: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        array(T["int"], init)


def test_a_wrong_element_is_named_by_its_index() -> None:
    with pytest.raises(OverflowError, match=r"Array\[uint8, 3\]\[2\]: 256 does not fit uint8"):
        array(T["uint8"], [1, 2, 256])
    with pytest.raises(ArgumentTypeError, match=r"Array\[int, 2\]\[1\]: expected an integer"):
        array(T["int"], [1, 2.5])
    with pytest.raises(ArgumentTypeError, match=r"\[0\]"):
        array(T["bool"], ["yes"])


def test_an_array_type_makes_arrays_of_its_length() -> None:
    triple = Array[T["int"], 3]
    assert list(triple()) == [0, 0, 0] and list(triple([1, 2, 3])) == [1, 2, 3]
    for wrong in ([1, 2], [1, 2, 3, 4]):
        with pytest.raises(
            ArgumentValueError, match=rf"expected 3 elements for Array\[int, 3\], got {len(wrong)}"
        ):
            triple(wrong)
    with pytest.raises(ArgumentTypeError):
        triple(5)


def test_arrays_have_as_many_dimensions_as_wanted() -> None:
    matrix = Array[Array[T["double"], 2], 3]([[1, 2], [3, 4], [5, 6]])
    matrix[1][0] = 30
    assert [list(row) for row in matrix] == [[1, 2], [30, 4], [5, 6]]
    row = matrix[2]
    del matrix
    gc.collect()
    assert list(row) == [5, 6]


def test_structs_in_arrays_are_views() -> None:
    points = array(point, [(1, 2), point(3, 4), {"y": 5}])
    points[0].x = 10
    assert points == [point(10, 2), point(3, 4), point(0, 5)]
    assert copy.copy(points) == points is not copy.copy(points)


def test_arrays_of_characters_hold_text() -> None:
    name = Array[T["char"], 8](b"abc")
    assert (name.value, name.raw, name[0], len(name)) == (b"abc", b"abc\0\0\0\0\0", b"a", 8)
    name.value = b"four"
    assert name.value == b"four" and repr(name) == "Array[char, 8](b'four')"
    name.value = b"12345678"
    assert name.value == b"12345678"
    with pytest.raises(ArgumentValueError, match=r"expected 8 elements for .*, got 9"):
        name.value = b"123456789"
    assert name.value == b"12345678"
    wide = Array[T["wchar"], 4]("hé")
    assert wide.value == "hé" and list(wide) == ["h", "é", "\0", "\0"]
    assert array(T["char"], b"xyz").raw == b"xyz"
    octets = array(T["uint8"], b"\x01\x02")
    assert list(octets) == [1, 2] and octets.raw == b"\x01\x02"
    with pytest.raises(AttributeError, match="has no value"):
        array(T["int"], 2).value


def test_bytes_of_the_wrong_length_are_for_characters_only() -> None:
    holder = make_aggregate("holder", {"octets": Array[T["uint8"], 4], "name": Array[T["char"], 4]})
    assert holder(name=b"ab").name.value == b"ab"
    assert bytes(holder(octets=bytes(4)).octets) == bytes(4)
    with pytest.raises(ArgumentError, match=r"holder.octets: expected 4 elements .* got 2"):
        holder(octets=b"ab")
    with pytest.raises(ArgumentError, match=r"holder.name"):
        holder(name="text")


def test_a_view_of_an_array_keeps_it_alive() -> None:
    values = array(T["int"], [1, 2, 3])
    alive = weakref.ref(values)
    part = values[1:]
    p = pointer(values)
    del values
    gc.collect()
    assert list(part) == [2, 3] and p[0] == 1
    del part, p
    gc.collect()
    assert alive() is None


def test_memoryview_shares_the_memory() -> None:
    values = array(T["int"], [5, 3, 9])
    view = memoryview(values)
    assert (view.format, view.shape, view.itemsize, view.readonly, view.tolist()) == (
        "i",
        (3,),
        4,
        False,
        [5, 3, 9],
    )
    view[1] = 33
    assert values[1] == 33
    assert memoryview(Array[Array[T["int16"], 3], 2]()).shape == (2, 3)
    assert bytes(view[:1].cast("B")) == (5).to_bytes(4, sys.byteorder)


@pytest.mark.parametrize(
    "name",
    [n for n in T if T[n].size and n not in ("string", "bytes", "buffer", "mutable_buffer", "pointer")],
)
def test_every_scalar_type_has_a_buffer_format(name: str) -> None:
    view = memoryview(array(T[name], 3))
    assert (view.nbytes, view.itemsize, view.shape) == (3 * T[name].size, T[name].size, (3,))


def test_numpy_sees_the_elements_both_ways() -> None:
    numpy = pytest.importorskip("numpy")
    values = array(T["double"], [1, 2, 3])
    seen = numpy.asarray(values)
    seen *= 2
    assert seen.dtype == numpy.float64 and list(values) == [2, 4, 6]
    matrix = numpy.asarray(Array[Array[T["int16"], 3], 2]([[1, 2, 3], [4, 5, 6]]))
    assert matrix.dtype == numpy.int16 and matrix.tolist() == [[1, 2, 3], [4, 5, 6]]
    theirs = numpy.arange(6, dtype=numpy.int32)
    ours = from_buffer(T["int"], theirs)
    ours[0] = 100
    assert theirs[0] == 100 and list(ours) == [100, 1, 2, 3, 4, 5]
    complexes = numpy.asarray(array(T["double_complex"], [1j, 2]))
    assert complexes.dtype == numpy.complex128 and complexes.tolist() == [1j, 2]
    with pytest.raises(TypeError):
        from_buffer(T["int"], numpy.arange(10, dtype=numpy.int32)[::2])


def test_numpy_sees_arrays_of_structs_with_fields() -> None:
    numpy = pytest.importorskip("numpy")
    mixed = make_aggregate(
        "mixed", {"tag": T["int8"], "value": T["double"], "small": Array[T["int16"], 3], "at": point}
    )
    seen = numpy.asarray(array(mixed, [(1, 0.5, [1, 2, 3], (4, 5)), (2, 1.5, [6, 7, 8], (9, 10))]))
    assert seen.dtype.names == ("tag", "value", "small", "at") and seen.itemsize == sizeof(mixed)
    assert seen["value"].tolist() == [0.5, 1.5] and seen["small"].tolist() == [[1, 2, 3], [6, 7, 8]]
    assert seen["at"]["y"].tolist() == [5, 10]


def test_from_buffer_takes_any_contiguous_buffer() -> None:
    data = bytearray(8)
    values = from_buffer(T["uint16"], data)
    values[3] = 0x0201
    assert data[6:] == (0x0201).to_bytes(2, sys.byteorder) and len(values) == 4
    points = from_buffer(point, bytearray(16))
    points[1].y = 3
    assert points[1] == point(0, 3)
    with pytest.raises(BufferError):
        data.append(1)
    del values
    gc.collect()
    data.append(1)
    with pytest.raises(LayoutError, match="9 bytes of bytearray are no multiple of"):
        from_buffer(T["int"], data)
    with pytest.raises(TypeError):
        from_buffer(T["int"], 5)


def test_read_only_buffers_make_const_arrays() -> None:
    values = from_buffer(T["uint8"], b"abc")
    with pytest.raises(ConstError):
        values[0] = 1
    with pytest.raises(ConstError):
        values[0:2] = b"xy"
    assert memoryview(values).readonly
    with pytest.raises(ConstError, match="read-only"):
        from_buffer(T["uint8"], b"abc", writable=True)
    with pytest.raises(ConstError):
        from_buffer(T["uint8"], bytearray(2), writable=False)[0] = 1


def test_new_gives_the_value_itself_or_a_pointer_to_it() -> None:
    assert new(point, 1, y=2) == point(1, 2)
    assert list(new(Array[T["int"], 2], [1, 2])) == [1, 2]
    number = new(T["double"], 2.5)
    number[0] += 1
    assert number[0] == 3.5 and len(number) == 1
    with pytest.raises(TypeError):
        new(T["int"], 1, 2)


def test_large_arrays_are_filled_and_read_whole() -> None:
    values = array(T["int"], range(100_000))
    assert list(values) == list(range(100_000)) and sum(values) == sum(range(100_000))
    assert list(array(T["float"], [0.5] * 1000)) == [0.5] * 1000


def test_a_long_array_is_not_shown_whole() -> None:
    assert len(repr(array(T["int"], 10_000))) < 100
