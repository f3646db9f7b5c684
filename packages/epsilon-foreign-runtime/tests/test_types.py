"""The type table: rows, users' rows, and what an annotation may be."""

from __future__ import annotations

import pickle

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentTypeError,
    DeclarationError,
    ForeignType,
    Library,
    Typed,
    UnknownTypeError,
    define_type,
    from_foreign,
    lookup_type,
    resolve_type,
    to_foreign,
)

T = TYPES


@pytest.fixture
def celsius():
    """Degrees Celsius to Python, Fahrenheit to C."""
    return define_type(
        "celsius",
        T["double"],
        to_foreign=lambda value: value * 1.8 + 32,
        from_foreign=lambda value: (value - 32) / 1.8,
        replace=True,
    )


def test_a_row_knows_size_and_alignment_in_bytes() -> None:
    assert (T["int32"].size, T["int32"].alignment) == (4, 4)
    assert (T["double_complex"].size, T["double_complex"].alignment) == (16, T["double"].alignment)
    assert T["pointer"].size == T["string"].size == T["size_t"].size


def test_rows_are_looked_up_by_name_and_pickled_as_their_name() -> None:
    assert lookup_type("int") is T["int"]
    assert pickle.loads(pickle.dumps(T["int"])) is T["int"]
    with pytest.raises(UnknownTypeError, match="'colour'") as caught:
        lookup_type("colour")
    assert isinstance(caught.value, LookupError)


def test_a_row_that_is_not_in_the_table_is_not_pickled() -> None:
    row = ForeignType("private", T["int"].abi)
    assert repr(row) == "<foreign type private>"
    with pytest.raises(TypeError, match="not in the type table"):
        pickle.dumps(row)


def test_an_annotation_is_a_row_none_or_something_with_a_row() -> None:
    class Colour:
        __foreign_type__ = T["uint8"]

    assert resolve_type(T["int"]) is T["int"]
    assert resolve_type(None) is T["void"]
    assert resolve_type(Colour) is T["uint8"]


@pytest.mark.parametrize(
    ("annotation", "hint"),
    [(int, "c.int"), (float, "c.double"), (bool, "c.bool"), (str, "c.string"), (bytes, "c.bytes"),
     (list, "list"), ("int", "'int'"), (3.5, "3.5"), (object(), "object")],
)  # fmt: skip
def test_anything_else_is_no_c_type_and_the_hint_says_what_may_be_meant(
    annotation: object, hint: str
) -> None:
    with pytest.raises(DeclarationError, match="is not a C type") as caught:
        resolve_type(annotation)
    assert hint in str(caught.value)


def test_conversion_can_be_asked_for_without_a_call() -> None:
    assert to_foreign("grüß", T["string"]) == "grüß".encode()
    assert to_foreign("a", T["wchar"]) == 97
    assert from_foreign(97, T["wchar"]) == "a"
    assert from_foreign(5, T["int"]) == 5
    with pytest.raises(ArgumentTypeError):
        to_foreign("5", T["int"])


def test_a_users_type_converts_both_ways(library: Library, celsius) -> None:
    same = library.bind("same_double", celsius, [celsius])
    seen_by_c = library.bind("same_double", T["double"], [celsius])
    assert seen_by_c(100) == 212.0
    assert same(100) == pytest.approx(100)
    assert "celsius" in repr(getattr(same, "__self__", same))


def test_a_users_type_may_convert_one_way_only(library: Library) -> None:
    doubled = define_type("doubled", T["int"], to_foreign=lambda value: 2 * value, replace=True)
    assert library.bind("same_int", doubled, [doubled])(4) == 8
    hexed = define_type("hexed", T["int"], from_foreign=hex, replace=True)
    assert library.bind("same_int", hexed, [hexed])(255) == "0xff"


def test_a_users_type_stands_on_a_string(library: Library) -> None:
    path = define_type(
        "path", T["string"], to_foreign=lambda p: f"/root/{p}", from_foreign=str.upper, replace=True
    )
    assert library.bind("echo", path, [path])("grüß") == "/ROOT/GRÜSS"
    assert library.bind("length", T["size_t"], [path])("a") == 7


def test_a_users_type_stands_on_bytes_on_buffers_and_on_users_types(library: Library, celsius) -> None:
    padded = define_type("padded", T["bytes"], to_foreign=lambda b: b.ljust(4, b"."), replace=True)
    assert library.bind("echo", T["bytes"], [padded])(b"a") == b"a..."
    numbers = define_type("numbers", T["buffer"], to_foreign=bytes, replace=True)
    assert library.bind("sum_bytes", T["ulong"], [numbers, T["size_t"]])([1, 2, 3], 3) == 6
    warmer = define_type("warmer", celsius, to_foreign=lambda value: value + 10, replace=True)
    assert library.bind("same_double", T["double"], [warmer])(90) == 212.0


def test_what_the_users_function_gives_must_fit_the_base(library: Library) -> None:
    broken = define_type("broken", T["int"], to_foreign=str, replace=True)
    with pytest.raises(
        ArgumentTypeError, match=r"same_int\(\) argument 1 \('value'\): expected an integer.*str"
    ):
        library.bind("same_int", T["int"], [broken], names=["value"])(5)


def test_exceptions_of_the_users_functions_carry_a_note(library: Library) -> None:
    def fail(value):
        raise KeyError(value)

    failing = define_type("failing", T["int"], to_foreign=fail, replace=True)
    with pytest.raises(KeyError) as caught:
        library.bind("same_int", T["int"], [failing], names=["value"])(5)
    assert caught.value.__notes__ == ["while converting same_int() argument 1 ('value')"]
    failing = define_type("failing", T["int"], from_foreign=fail, replace=True)
    with pytest.raises(KeyError) as caught:
        library.bind("same_int", failing, [T["int"]])(5)
    assert caught.value.__notes__ == ["while converting 5 from the foreign type 'failing'"]


def test_a_name_is_taken_once_unless_replaced(celsius) -> None:
    with pytest.raises(ValueError, match="'celsius' is defined already"):
        define_type("celsius", T["double"])
    with pytest.raises(DeclarationError, match=r"c\.int"):
        define_type("anything", int)


def test_a_called_row_makes_a_typed_value(celsius) -> None:
    typed = T["int"](3)
    assert isinstance(typed, Typed)
    assert (typed.type, typed.value) == (T["int"], 3)
    assert repr(T["double"](0.5)) == "c.double(0.5)"
    assert celsius(5).value == 5
