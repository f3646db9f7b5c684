"""C data in calls on every backend: by value, by address, out parameters, gifts; enums and variables."""

from __future__ import annotations

import enum
import gc
import inspect
from pathlib import Path

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    Arena,
    ArgumentTypeError,
    Array,
    Bits,
    BoundsError,
    Const,
    ConstError,
    DeclarationError,
    InOut,
    Library,
    LifetimeError,
    Out,
    Owned,
    Pointer,
    UnknownEnumValue,
    alloc,
    array,
    declare_enum,
    from_buffer,
    make_aggregate,
    null,
    pointer,
    sizeof,
)

T = TYPES
point = make_aggregate("point", {"x": T["int"], "y": T["int"]})
rect = make_aggregate("rect", {"a": point, "b": point})
mixed = make_aggregate("mixed", {"tag": T["char"], "value": T["double"], "small": Array[T["int16"], 3]})
large = make_aggregate("large", {"values": Array[T["double"], 5]})
number = make_aggregate("number", {"i": T["int32"], "f": T["float"]}, union=True)
flags = make_aggregate("flags", {"a": Bits[T["uint"], 3], "b": Bits[T["uint"], 5], "c": Bits[T["int"], 10]})
node = make_aggregate("node", {"value": T["int"], "next": Pointer["node"]})
named = make_aggregate("named", {"name": T["string"], "at": Pointer[point]})


class colour(enum.IntEnum):
    RED = 1
    GREEN = 2
    BLUE = 4


@pytest.fixture(scope="session")
def data_path(compile_library) -> Path:
    return compile_library(Path(__file__).resolve().parent / "native" / "data.c", "libdata.so")


@pytest.fixture
def data(backend: str, data_path: Path) -> Library:
    return Library(data_path)


def test_structs_cross_by_value_in_registers_and_in_memory(data: Library) -> None:
    assert data.bind("flip", point, [point])(point(1, 2)) == point(2, 1)
    assert data.bind("twice", mixed, [mixed])(mixed(b"t", 1.5, [1, 2, 3])) == mixed(b"t", 3.0, [2, 4, 6])
    result = data.bind("reverse", large, [large])(large([1, 2, 3, 4, 5]))
    assert list(result.values) == [5, 4, 3, 2, 1]
    assert data.bind("as_float", T["float"], [number])(number(i=0x3F800000)) == 1.0
    assert data.bind("flag_sum", T["int"], [flags])(flags(7, 31, -40)) == -2


def test_a_view_is_passed_by_value_like_any_struct(data: Library) -> None:
    assert data.bind("flip", point, [point])(rect((0, 0), (3, 4)).b) == point(4, 3)


def test_a_wrong_struct_is_refused_by_name(data: Library) -> None:
    flip = data.bind("flip", point, [point], names=["p"])
    for wrong in (rect(), 5, (1, 2), b"12345678", None):
        with pytest.raises(ArgumentTypeError, match=r"flip\(\) argument 1 \('p'\): expected point, got"):
            flip(wrong)
    with point() as dead:
        pass
    with pytest.raises(LifetimeError):
        flip(dead)


def test_a_struct_lends_its_memory_to_a_pointer(data: Library) -> None:
    move = data.bind("move", None, [Pointer[rect], T["int"], T["int"]])
    value = rect((0, 0), (3, 4))
    move(value, 10, 20)
    move(pointer(value), 1, 1)
    assert value == rect((11, 21), (14, 25))
    data.bind("move", None, [T["pointer"], T["int"], T["int"]])(value, 1, 1)
    assert value.a == point(12, 22)
    data.bind("move", None, [Pointer[None], T["int"], T["int"]])(value, -12, -22)
    assert value.a == point(0, 0)


def test_a_pointer_to_another_type_is_refused_naming_both(data: Library) -> None:
    move = data.bind("move", None, [Pointer[rect], T["int"], T["int"]])
    for wrong in (point(), array(T["int"], 4), alloc(point), 5, "text", [1, 2], bytearray(16)):
        with pytest.raises(ArgumentTypeError, match=r"move\(\) argument 1: expected Pointer\[rect\], got"):
            move(wrong, 1, 1)
    with pytest.raises(ArgumentTypeError, match="from_address"):
        move(4096, 1, 1)


def test_a_derived_struct_passes_for_its_base() -> None:
    from epsilon.foreign.runtime import declare

    body = {"__annotations__": {"name": T["string"]}}
    derived = declare(type("named_rect", (rect,), body))
    value = derived((1, 2), (3, 4), "box")
    assert sizeof(derived) == 24 and value.name == "box" and value.b == point(3, 4)
    assert Pointer[rect].__foreign_type__.to_foreign(value) == pointer(value).address


def test_arrays_and_buffers_serve_where_elements_are_pointed_to(data: Library) -> None:
    numpy = pytest.importorskip("numpy")
    total = data.bind("sum", T["int"], [Pointer[Const[T["int"]]], T["int"]])
    ours = array(T["int"], [1, 2, 3])
    assert total(ours, 3) == total(pointer(ours), 3) == total(ours[1:], 2) + 1 == 6
    assert total(numpy.array([4, 5], dtype=numpy.int32), 2) == 9
    assert total(memoryview(numpy.array([4, 5], dtype=numpy.int32)), 2) == 9
    assert data.bind("sum", T["int"], [Array[T["int"], 3], T["int"]])(ours, 3) == 6
    for wrong in (
        numpy.array([1.0, 2.0]),
        numpy.array([1, 2], dtype=numpy.int64),
        numpy.uint32([1]),
        b"1234",
    ):
        with pytest.raises(ArgumentTypeError, match=r"expected Pointer\[Const\[int\]\], got .*items of"):
            total(wrong, 1)


def test_c_writes_only_into_writable_memory(data: Library) -> None:
    fill = data.bind("fill", None, [Pointer[T["int"]], T["int"]])
    values = array(T["int"], 4)
    fill(values, 4)
    assert list(values) == [0, 1, 4, 9]
    constant = from_buffer(T["int"], bytes(16))
    with pytest.raises(ConstError, match=r"expected Pointer\[int\], got .* const"):
        fill(constant, 4)
    with pytest.raises(ArgumentTypeError):
        fill(memoryview(bytes(16)).cast("i"), 4)
    octets = data.bind("past", T["int"], [Pointer[T["uint8"]], T["long"]])
    target = bytearray(4)
    assert octets(target, 2) == 1 and target == b"\0\0\1\0"
    with pytest.raises(ArgumentTypeError):
        octets(b"1234", 2)


def test_lists_of_structs_are_followed_by_c(data: Library) -> None:
    total = data.bind("total", T["int"], [Pointer[node]])
    chain = None
    for value in (1, 2, 3):
        chain = node(value, chain)
    gc.collect()
    assert total(chain) == 6 and total(None) == total(null(node)) == 0


def test_strings_in_structs_are_c_strings(data: Library) -> None:
    length = data.bind("name_length", T["size_t"], [Pointer[named]])
    value = named("grüße", point(1, 2))
    gc.collect()
    assert length(value) == 7
    value.name = b"abc"
    assert (length(value), value.name, value.at[0].y) == (3, "abc", 2)


def test_a_pointer_from_c_has_no_bounds_unless_promised(data: Library) -> None:
    points = array(point, [(1, 2), (5, 6), (3, 4)])
    raw = data.bind("largest", Pointer[point], [Pointer[point], T["int"]])(points, 3)
    assert raw == pointer(points) + 1
    with pytest.raises(BoundsError, match="are unknown"):
        raw[0]
    assert raw.bounded(1)[0] == point(5, 6)
    known = data.bind("largest", Pointer[point, 1], [Pointer[point], T["int"]])(points, 3)
    assert known[0] == point(5, 6)


def test_a_pointer_that_c_advanced_keeps_its_bounds(data: Library) -> None:
    cell = make_aggregate("cell", {"at": Pointer[Const[T["int"]]]})(array(T["int"], [1, 2, 3]))
    advance = data.bind("advance", None, [T["pointer"]])
    advance(cell)
    assert (cell.at[0], cell.at[1]) == (2, 3)
    advance(cell)
    advance(cell)
    with pytest.raises(BoundsError):
        cell.at[0]


def test_enums_come_back_as_members_and_unknown_numbers_come_through(data: Library) -> None:
    step = data.bind("next_colour", colour, [colour])
    assert step(colour.RED) is colour.GREEN and step(4) is colour.RED
    unknown = step(8)
    assert (
        unknown == 16 and isinstance(unknown, UnknownEnumValue) and repr(unknown) == "<colour: 16, no member>"
    )

    class other(enum.IntEnum):
        ONE = 1

    with pytest.raises(ArgumentTypeError, match="expected colour, got"):
        step(other.ONE)
    with pytest.raises(OverflowError):
        step(2**31)
    with pytest.raises(ArgumentTypeError):
        step("RED")


def test_an_enum_may_have_another_base(data: Library) -> None:
    @declare_enum(base=T["uint8"])
    class small(enum.IntEnum):
        A = 1
        LAST = 255

    assert sizeof(small) == 1 and sizeof(make_aggregate("holder", {"s": small, "x": T["int8"]})) == 2
    step = data.bind("next_small", small, [small])
    assert step(small.LAST) == 0 and type(step(small.LAST)) is UnknownEnumValue
    with pytest.raises(DeclarationError, match="LAST = 255 does not fit int8"):
        declare_enum(enum.IntEnum("narrow", {"LAST": 255}), base=T["int8"])
    with pytest.raises(DeclarationError, match="integer type, not float"):
        declare_enum(enum.IntEnum("wrong", {"A": 1}), base=T["float"])
    with pytest.raises(DeclarationError, match="no IntEnum"):
        declare_enum(enum.Enum("wrong", {"A": "a"}))


def test_flags_combine_and_enums_are_members_of_structs() -> None:
    class mode(enum.IntFlag):
        READ = 1
        WRITE = 2

    holder = make_aggregate("holder", {"mode": mode, "colour": Bits[colour, 4]})
    value = holder(mode.READ | mode.WRITE, colour.BLUE)
    assert value.mode == mode.READ | mode.WRITE and type(value.mode) is mode and value.colour is colour.BLUE
    value.mode = 64
    assert value.mode == 64
    big = enum.IntEnum("big", {"TOP": 2**31})
    assert make_aggregate("h", {"b": big})(big.TOP).b is big.TOP


def test_out_parameters_are_results(data: Library) -> None:
    divide = data.bind(
        "divide", None, [T["int"], T["int"], Out[T["int"]], Out[T["int"]]], names=["a", "b", "q", "r"]
    )
    assert divide(17, 5) == divide(b=5, a=17) == (3, 2)
    parse = data.bind("parse", T["int"], [T["string"], Out[T["double"]], Out[point]])
    assert parse("2.5") == (42, 2.5, point(3, 7))
    assert data.bind("increment", None, [InOut[T["int"]]])(4) == 5
    assert data.bind("find", None, [T["string"], Out[T["string"]]])("a b") == " b"
    assert data.bind("find", None, [T["string"], Out[T["string"]]])("ab") is None
    assert list(inspect.signature(divide).parameters) == ["a", "b"]
    assert "divide(a: int, b: int) -> (int, int)" in repr(divide)
    assert data.bind("split", T["bool"], [T["double"], Out[T["int"]]])(2.5) == (True, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1,), "missing argument 2"), ((1, 2, 3), "takes 2 arguments, got 3"), ((1, "2"), r"argument 2")],
)
def test_a_wrong_call_of_a_function_with_out_parameters(data: Library, arguments, message) -> None:
    divide = data.bind("divide", None, [T["int"], T["int"], Out[T["int"]], Out[T["int"]]])
    with pytest.raises(TypeError, match=message):
        divide(*arguments)
    with pytest.raises(OverflowError, match=r"increment\(\).*does not fit int"):
        data.bind("increment", None, [InOut[T["int"]]])(2**31)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Out[None],
        lambda: Out[Out[T["int"]]],
        lambda: Out[T["buffer"]],
        lambda: InOut[Array[T["int"], ...]],
        lambda: Owned[T["string"]],
        lambda: Owned[T["int"], "free"],
        lambda: Owned[T["string"], 5],
    ],
)
def test_what_cannot_be_an_out_parameter_or_owned(make) -> None:
    with pytest.raises(DeclarationError):
        make()


def test_a_closed_library_ends_functions_with_out_parameters(data_path: Path, backend: str) -> None:
    library = Library(data_path)
    divide = library.bind("divide", None, [T["int"], T["int"], Out[T["int"]], Out[T["int"]]])
    library.close()
    with pytest.raises(LifetimeError):
        divide(1, 1)


def test_owned_text_is_copied_and_freed(data: Library) -> None:
    before = data.bind("times_freed", T["int"])()
    shout = data.bind("shout", Owned[T["string"], "drop"], [T["string"]])
    assert (shout("hey"), shout(None)) == ("hey!", None)
    assert data.bind("shout", Owned[T["bytes"], "drop"], [T["string"]])("hey") == b"hey!"
    assert data.bind("times_freed", T["int"])() == before + 2
    assert data.bind("shout", Owned[T["string"], "free"], [T["string"]])("libc") == "libc!"
    assert data.bind("make_text", T["int"], [Out[Owned[T["string"], "drop"]]])() == (0, "made!")
    assert data.bind("times_freed", T["int"])() == before + 3
    drop = data.bind("drop", None, [T["pointer"]])
    assert data.bind("shout", Owned[T["string"], drop], [T["string"]])("f") == "f!"
    with pytest.raises(AttributeError, match="no_such"):
        data.bind("shout", Owned[T["string"], "no_such"], [T["string"]])


def test_owned_pointers_are_freed_once(data: Library) -> None:
    freed = data.bind("times_freed", T["int"])
    make = data.bind("make_point", Owned[Pointer[point, 1], "drop"], [T["int"], T["int"]])
    before = freed()
    p = make(1, 2)
    view = p[0]
    assert view == point(1, 2)
    p.release()
    assert freed() == before + 1
    for use in (lambda: p[0], lambda: view.x, lambda: p.release()):
        with pytest.raises(LifetimeError):
            use()
    inner = make(3, 4)[0]
    gc.collect()
    assert inner.y == 4 and freed() == before + 1
    del inner
    gc.collect()
    assert freed() == before + 2


def test_freed_memory_is_not_passed_to_c(data: Library) -> None:
    total = data.bind("sum", T["int"], [Pointer[Const[T["int"]]], T["int"]])
    with Arena() as arena:
        values = arena.array(T["int"], [1, 2])
        assert total(values, 2) == 3
    with pytest.raises(LifetimeError):
        total(values, 2)


def test_variables_of_structs_and_arrays_are_views(data: Library) -> None:
    corners, table = data.variable("corners", rect), data.variable("table", Array[T["int"], 4])
    original = (corners.value.b.y, list(table.value))
    corners.value.b.y = 40
    assert data.variable("corners", rect).value.b == point(3, 40)
    corners.value = rect((1, 2), (3, original[0]))
    table.value[1] += 1
    assert list(table.value) == [10, 21, 30, 40]
    table.value = original[1]
    assert pointer(corners)[0].a == point(1, 2)
    first = data.variable("first", Pointer[point]).value
    assert first == pointer(corners).cast(point)


def test_const_variables_are_never_written(data: Library) -> None:
    table = data.variable("table", Const[Array[T["int"], 4]])
    corners = data.variable("corners", Const[rect])
    assert table.readonly and table.value[0] == 10 and "const" in repr(table)
    for write in (
        lambda: setattr(table, "value", [1, 2, 3, 4]),
        lambda: table.value.__setitem__(0, 1),
        lambda: table.pointer().__setitem__(0, [0] * 4),
        lambda: setattr(corners.value.b, "y", 1),
    ):
        with pytest.raises(ConstError):
            write()
    assert table.value[0] == 10


def test_memory_of_a_closed_library_is_gone(data_path: Path, backend: str) -> None:
    library = Library(data_path)
    values = library.variable("table", Array[T["int"], 4]).value
    with memoryview(values), pytest.raises(BufferError):
        library.close()
    assert values[0] == 10
    library.close()
    with pytest.raises(LifetimeError, match="library was closed"):
        values[0]


def test_arrays_and_unknown_structs_are_not_passed_by_value(data: Library) -> None:
    opaque = make_aggregate("opaque", None)
    with pytest.raises(DeclarationError, match="incomplete"):
        data.bind("flip", None, [opaque])
    with pytest.raises(DeclarationError, match="by value"):
        data.bind("flip", opaque, [])
    with pytest.raises(DeclarationError, match="by value"):
        data.bind("flip", Array[T["int"], 2], [])


def test_structs_and_pointers_are_variadic_arguments(backend: str) -> None:
    libc = Library(None)
    out = array(T["char"], 32)
    snprintf = libc.bind("snprintf", T["int"], [T["pointer"], T["size_t"], T["string"]], variadic=True)
    snprintf(out, len(out), "%d %s", array(T["int"], 1) and 7, array(T["char"], b"text\0"))
    assert out.value == b"7 text"
