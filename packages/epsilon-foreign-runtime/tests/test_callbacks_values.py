"""What goes up to a callback and what comes down from it: every type, by value, by pointer, as text."""

from __future__ import annotations

import enum
import gc
from functools import partial

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentError,
    ArgumentRangeError,
    ArgumentTypeError,
    Array,
    BoundsError,
    Callback,
    Const,
    ConstError,
    Library,
    Pointer,
    UnknownEnumValue,
    UnsupportedSignatureError,
    alloc,
    array,
    bytes_at,
    define_type,
    make_aggregate,
    null,
    pointer,
    string_at,
)

T = TYPES
make_struct = partial(make_aggregate, module=__name__)
tiny = make_struct("tiny", {"a": T["int8"]})
point = make_struct("point", {"x": T["int"], "y": T["int"]})
vector = make_struct("vector", {"x": T["double"], "y": T["double"]})
floats = make_struct("floats", {"x": T["float"], "y": T["float"], "z": T["float"]})
both = make_struct("both", {"number": T["int64"], "value": T["double"]})
odd = make_struct("odd", {"text": Array[T["char"], 11]})
large = make_struct("large", {"items": Array[T["int64"], 5], "last": T["double"]})
inner = make_struct("inner", {"f": T["float"], "tag": T["uint8"]})
nested = make_struct("nested", {"corner": point, "inner": inner})
number = make_struct("number", {"i": T["int32"], "f": T["float"], "d": T["double"]}, union=True)
Int = Callback[[T["int"]], T["int"]]


class colour(enum.IntEnum):
    RED = 1
    GREEN = 2


class mode(enum.IntFlag):
    READ = 1
    WRITE = 2


INTEGERS = (
    "schar uchar short ushort int uint long ulong longlong ulonglong int8 int16 int32 int64 uint8 uint16 uint32 "
    "uint64 size_t ssize_t ptrdiff_t intptr_t uintptr_t"
)
VALUES = {name: [*TYPES[name].abi.bounds, 0, 1] for name in INTEGERS.split()} | {
    "bool": [True, False],
    "char": [b"a", b"\xff", b"\0"],
    "wchar": ["a", "\N{SNOWMAN}", "\N{GRINNING FACE}"],
    "float": [1.5, -0.0, float("inf")],
    "double": [0.1, -0.0, 5e-324],
    "longdouble": [0.1, -2.5],
    "float_complex": [1.5 - 2j],
    "double_complex": [0.1 - 2j],
    "pointer": [None, 1, 2**64 - 1],
    "string": [None, "", "grüß"],
}
STRUCTS = [
    tiny(-3),
    point(1, -2),
    vector(0.1, 2.5),
    floats(1, 2, 3),
    both(2**63 - 1, 0.1),
    odd(b"eleven char"),
    large([1, 2, 3, 4, -5], 6.5),
    nested(point(1, 2), inner(1.5, 255)),
    number(d=0.1),
]


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_every_type_goes_up_and_down(callbacks: Library, name: str) -> None:
    row, seen = T[name], []
    up = callbacks.bind(f"up_{name}", row, [Callback[[row], row], row])
    try:
        up(lambda v: v, VALUES[name][0])
    except UnsupportedSignatureError as error:  # neither the trampoline nor ctypes gives complex numbers back
        pytest.skip(str(error))
    for value in VALUES[name]:
        assert repr(up(lambda v: seen.append(v) or v, value)) == repr(value)
        assert repr(seen.pop()) == repr(value)


@pytest.mark.parametrize("value", STRUCTS, ids=lambda value: type(value).__name__)
def test_a_struct_of_every_class_goes_up_and_down_by_value(callbacks: Library, value) -> None:
    cls, seen = type(value), []
    up = callbacks.bind(f"up_{cls.__name__}", cls, [Callback[[cls], cls], cls])

    def changes_its_own(given):
        seen.append(given)
        return given

    assert up(changes_its_own, value) == value
    assert seen == [value]
    assert type(seen[0]) is cls
    gc.collect()
    assert seen == [value]  # it has memory of its own


def test_structs_and_numbers_of_all_classes_share_registers_and_stack(callbacks: Library) -> None:
    classes = [tiny, point, vector, floats, both, odd, large, nested, number]
    seen = []
    call = callbacks.bind("all_structs", T["double"], [Callback[classes, T["double"]]])
    assert call(lambda *args: seen.extend(args) or 0.5) == 0.5
    assert seen == [
        tiny(-1), point(2, 3), vector(4, 5), floats(6, 7, 8), both(9, 10), odd(b"eleven"),
        large([12, 13, 14, 15, 16], 17), nested(point(18, 19), inner(20, 21)), number(d=22),
    ]  # fmt: skip


def test_twenty_mixed_parameters(callbacks: Library) -> None:
    names = (
        "int8 double uint16 float int64 bool double int32 float uint8 double int16 double uint64 float double int8 "
        "bool double uint32"
    )
    seen = []
    call = callbacks.bind("mixed20", T["double"], [Callback[[T[n] for n in names.split()], T["double"]]])
    assert call(lambda *args: seen.append(args) or 0.1) == 0.1
    assert repr(seen) == repr([(
        -1, 2.5, 65535, 4.5, -(2**63), True, 7.5, -8, 9.5, 255, 11.5, -12, 13.5, 2**64 - 1, 15.5, 16.5, -17,
        False, 19.5, 2**32 - 1,
    )])  # fmt: skip


@pytest.mark.parametrize("name", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "bool"])
def test_only_the_bits_of_a_type_are_read_in_registers_and_on_the_stack(
    callbacks: Library, name: str
) -> None:
    """What C leaves in the rest of them is nobody's business."""
    row, seen, bits = T[name], [], 0x7EDC_BA98_8765_43F1 - (1 << 63)
    call = callbacks.bind("dirty", T["long"], [Callback[[row] * 9, row], T["long"]])
    result = call(lambda *args: seen.extend(args) or args[0], bits)
    size = row.size
    expected = int.from_bytes((bits & (1 << 8 * size) - 1).to_bytes(size, "little"), "little")
    if name.startswith("int") and expected >> (8 * size - 1):
        expected -= 1 << 8 * size
    if name == "bool":
        expected = True
    assert seen == [expected] * 9
    assert (result ^ expected) & (1 << 8 * size) - 1 == 0


def test_pointers_are_read_and_written_within_what_they_point_to(callbacks: Library) -> None:
    Fill = Callback[[Pointer[T["int"]], Pointer[T["double"]]], T["int"]]
    fill = callbacks.bind("fill", T["int"], [Fill, Pointer[T["double"]]])
    more = array(T["double"], [0.5])

    def function(out, given) -> int:
        out[0] = 77
        given[0] *= 3
        return 0

    assert (fill(function, more), more[0]) == (77, 1.5)
    assert fill(lambda out, given: -5 if not given else 0, None) == -5
    with pytest.raises(BoundsError):
        fill(lambda out, given: out[1], None)


def test_a_pointer_says_how_far_it_reaches_when_it_is_told(callbacks: Library) -> None:
    items = array(T["int"], [1, 2, 3])
    for Items in (Pointer[T["int"]], Pointer[Const[T["int"]]], Array[T["int"], 3]):
        call = callbacks.bind(
            "sum_of", T["int"], [Callback[[Items, T["size_t"]], T["int"]], Pointer[T["int"]], T["size_t"]]
        )
        assert call(lambda p, count: p[0], items, 3) == 1
        with pytest.raises(BoundsError):
            call(lambda p, count: p[1], items, 3)
        assert call(lambda p, count: sum(p.bounded(count)), items, 3) == 6
        assert call(lambda p, count: (p + 1).bounded(count - 1)[1], items, 3) == 3
        assert call(lambda p, count: len(bytes_at(p, 4 * count)), items, 3) == 12
        with pytest.raises(BoundsError):  # once it is stated it holds
            call(lambda p, count: p.bounded(2).bounded(3)[2], items, 3)
    call = callbacks.bind(
        "sum_of",
        T["int"],
        [Callback[[Pointer[T["int"], 3], T["size_t"]], T["int"]], Pointer[T["int"]], T["size_t"]],
    )
    assert call(lambda p, count: sum(p[i] for i in range(count)), items, 3) == 6
    with pytest.raises(BoundsError):
        call(lambda p, count: p[3], items, 3)
    with pytest.raises(BoundsError):  # it is what the declaration states
        call(lambda p, count: p.bounded(4)[3], items, 3)


def test_what_is_const_cannot_be_written(callbacks: Library) -> None:
    fill = callbacks.bind(
        "fill", T["int"], [Callback[[Pointer[Const[T["int"]]], T["pointer"]], T["int"]], T["pointer"]]
    )
    with pytest.raises(ConstError):
        fill(lambda out, more: out.__setitem__(0, 1), None)


def test_a_struct_behind_a_pointer_is_a_view(callbacks: Library) -> None:
    points = array(point, [point(1, 2), point(3, 4)])
    move = callbacks.bind(
        "move_points", T["int"], [Callback[[Pointer[point]], None], Pointer[point], T["size_t"]]
    )

    def function(at) -> None:
        at[0].x += 10
        at[0] = point(at[0].x, -at[0].y)

    assert move(function, points, 2) == 11 - 2 + 13 - 4
    assert list(points) == [point(11, -2), point(13, -4)]


@pytest.mark.parametrize(
    ("name", "texts"),
    [("string", ["one", "zwei", "très", None]), ("bytes", [b"one", b"zwei", "très".encode(), None])],
)
def test_text_and_user_data_reach_the_callback(callbacks: Library, name: str, texts: list[object]) -> None:
    seen = []
    visit = callbacks.bind("visit", None, [Callback[[T["pointer"], T[name], T["int"]], None], T["pointer"]])
    visit(lambda *args: seen.append(args), None)
    assert seen == [(None, text, index) for index, text in enumerate(texts)]
    seen.clear()
    visit(lambda *args: seen.append(args), 4096)
    assert [user for user, _, _ in seen] == [4096] * 4


def test_a_pointer_to_char_is_text_up_to_its_end(callbacks: Library) -> None:
    seen = []
    visit = callbacks.bind("visit_bad_text", None, [Callback[[Pointer[T["char"]]], None]])
    visit(lambda at: seen.append((at[0], bytes_at(at, 4), string_at(at, encoding="latin-1"))))
    assert seen == [(b"g", b"gr\xfc\xdf", "gr\xfc\xdf")]


def test_text_that_is_no_utf_8_raises(callbacks: Library) -> None:
    visit = callbacks.bind("visit_bad_text", None, [Callback[[T["string"]], None]])
    with pytest.raises(UnicodeDecodeError):
        visit(lambda text: None)
    seen = []
    callbacks.bind("visit_bad_text", None, [Callback[[T["bytes"]], None]])(seen.append)
    assert seen == [b"gr\xfc\xdf"]


def test_an_array_of_strings(callbacks: Library) -> None:
    Words = Callback[[Pointer[T["string"], 3]], T["int"]]
    seen = []
    words = callbacks.bind("words", T["int"], [Words])
    assert words(lambda each: seen.extend(each[i] for i in range(3)) or 1) == 1
    assert seen == ["a", "bc", None]


@pytest.mark.parametrize(("name", "value"), [("string", "text"), ("bytes", b"text"), ("string", b"text")])
def test_text_that_a_callback_returns_lives_until_c_has_read_it(
    callbacks: Library, name: str, value: object
) -> None:
    measure = callbacks.bind("measure", T["size_t"], [Callback[[T["int"]], T[name]], T["int"]])
    made = type(value)
    assert measure(lambda count: made().join([value[i : i + 1] for i in range(4)]), 4) == 4
    assert measure(lambda count: None, 4) == 2**64 - 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: point(4, 5),
        lambda: pointer(point(4, 5)),
        lambda: array(point, [point(4, 5)]),
        lambda: filled(alloc(point, 1)),
    ],
    ids=["struct", "pointer", "array", "allocated"],
)
def test_memory_that_a_callback_returns_lives_until_c_has_read_it(callbacks: Library, make) -> None:
    read = callbacks.bind("read_point", T["int"], [Callback[[], Pointer[point]]])
    for _ in range(50):
        assert read(make) == 405
    assert read(lambda: None) == read(lambda: null(point)) == -1


def filled(at):
    at[0] = point(4, 5)
    return at


def test_enums_reach_the_callback_as_members(callbacks: Library) -> None:
    up = callbacks.bind("up_int", colour, [Callback[[colour], colour], T["int"]])
    seen = []
    assert up(lambda c: seen.append(c) or c, 2) is colour.GREEN
    assert seen == [colour.GREEN]
    assert type(up(lambda c: seen.append(c) or c, 77)) is type(seen[-1]) is UnknownEnumValue
    with pytest.raises(ArgumentTypeError, match=r"^the result of callback answer\(\): expected colour, got"):
        up(answer, 2)
    both = callbacks.bind("up_int", mode, [Callback[[mode], mode], mode])
    assert both(lambda m: m & mode.WRITE, mode.READ | mode.WRITE) is mode.WRITE


def answer(value: object) -> mode:
    return mode.READ


def test_a_type_of_ones_own_is_converted_both_ways(callbacks: Library) -> None:
    percent = define_type(
        "percent of callbacks", T["int"], to_foreign=lambda f: round(f * 100), from_foreign=lambda n: n / 100,
        replace=True,
    )  # fmt: skip
    up = callbacks.bind("up_int", T["int"], [Callback[[percent], percent], T["int"]])
    seen = []
    assert up(lambda f: seen.append(f) or f * 2, 25) == 50
    assert seen == [0.25]
    with pytest.raises(TypeError) as caught:
        up(answers_text, 25)
    assert caught.value.__notes__ == ["while converting the result of callback answers_text()"]


def answers_text(value: object) -> str:
    return "half"


@pytest.mark.parametrize(
    ("name", "result", "error", "message"),
    [
        ("int", "text", ArgumentTypeError, "expected an integer for int, got str"),
        ("int", None, ArgumentTypeError, "expected an integer for int, got None"),
        ("int", 1.0, ArgumentTypeError, "expected an integer for int, got float"),
        ("int", 2**31, ArgumentRangeError, r"2147483648 does not fit int \(-2147483648 to 2147483647\)"),
        ("int8", -129, ArgumentRangeError, r"-129 does not fit int8 \(-128 to 127\)"),
        ("uint64", -1, ArgumentRangeError, "-1 does not fit uint64"),
        ("double", "1", ArgumentTypeError, "expected a float, got str"),
        ("bool", 2, ArgumentRangeError, r"2 does not fit bool \(0 or 1\)"),
        ("string", 5, ArgumentTypeError, "expected str, bytes or None, got int"),
        ("string", "a\0b", ArgumentError, "NUL"),
        ("pointer", -1, ArgumentRangeError, "-1 does not fit pointer"),
        ("char", b"ab", ArgumentError, "expected one byte for char, got 2"),
    ],
)
def test_a_wrong_result_raises_and_says_whose_it_is_and_what_was_expected(
    callbacks: Library, name: str, result: object, error: type[Exception], message: str
) -> None:
    def compute(value: object) -> object:
        return result

    row = T[name]
    up = callbacks.bind(f"up_{name}", row, [Callback[[row], row], row])
    with pytest.raises(error, match=rf"^the result of callback compute\(\): .*{message}"):
        up(compute, VALUES[name][0])
    assert repr(up(lambda value: value, VALUES[name][0])) == repr(VALUES[name][0])


def test_a_wrong_struct_is_refused(callbacks: Library) -> None:
    up = callbacks.bind("up_point", point, [Callback[[point], point], point])
    for wrong in (5, None, vector(1, 2), pointer(point(1, 2))):
        with pytest.raises(
            ArgumentTypeError, match=r"^the result of callback <lambda>\(\): expected point, got"
        ):
            up(lambda p, wrong=wrong: wrong, point())


def test_what_a_void_callback_returns_is_ignored(callbacks: Library) -> None:
    visit = callbacks.bind(
        "visit", None, [Callback[[T["pointer"], T["string"], T["int"]], None], T["pointer"]]
    )
    assert visit(lambda *args: "ignored", None) is None


def test_a_function_of_the_wrong_arity_raises_as_if_python_had_called_it(callbacks: Library) -> None:
    up = callbacks.bind("up_int", T["int"], [Int, T["int"]])
    with pytest.raises(TypeError, match="positional argument"):
        up(lambda: 1, 1)


def test_any_callable_serves(callbacks: Library) -> None:
    class Adder:
        def __init__(self, by: int) -> None:
            self.by = by

        def __call__(self, value: int) -> int:
            return value + self.by

        def method(self, value: int) -> int:
            return value - self.by

    up = callbacks.bind("up_int", T["int"], [Int, T["int"]])
    functions = [abs, partial(int.__add__, 1), Adder(5), Adder(5).method, [7, 8, 9].__getitem__, int]
    assert [up(function, 2) for function in functions] == [2, 3, 7, -3, 9, 2]
