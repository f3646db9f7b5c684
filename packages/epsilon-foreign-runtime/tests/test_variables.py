"""Exported variables: every scalar type, strings, and what cannot be stored."""

from __future__ import annotations

import ctypes

import pytest
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentRangeError,
    ArgumentTypeError,
    DeclarationError,
    Library,
    define_type,
)

T = TYPES

VALUES = {
    **{
        name: [low, 0, high]
        for name in ("schar", "short", "int", "long", "longlong")
        for low, high in [T[name].abi.bounds]
    },
    **{
        name: [0, T[name].abi.bounds[1]]
        for name in ("uchar", "ushort", "uint", "ulong", "ulonglong", "size_t")
    },
    "bool": [True, False],
    "char": [b"a", b"\xff"],
    "wchar": ["ß", "\U0001f40d"],
    "float": [0.5, float("-inf")],
    "double": [0.1, -1e300],
    "longdouble": [0.1, -2.5],
    "float_complex": [1.5 - 2.5j],
    "double_complex": [0.1 - 0.2j],
    "pointer": [4096, None],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_is_read_and_written_as_c_sees_it(library: Library, name: str) -> None:
    variable = library.variable(f"variable_{name}", T[name])
    seen_by_c = library.bind(f"get_{name}", T[name])
    for value in VALUES[name]:
        variable.value = value
        assert variable.value == value
        assert seen_by_c() == value
        assert type(variable.value) is type(value)


def test_a_string_variable_is_read_as_text_and_null_as_none(library: Library) -> None:
    assert library.variable("banner", T["string"]).value == "grüß dich"
    assert library.variable("banner", T["bytes"]).value == "grüß dich".encode()
    assert library.variable("nothing", T["string"]).value is None


@pytest.mark.parametrize("name", ["string", "bytes", "buffer", "mutable_buffer"])
def test_storing_what_nothing_would_keep_alive_is_refused(library: Library, name: str) -> None:
    variable = library.variable("banner", T[name])
    with pytest.raises(
        ArgumentTypeError, match=rf"variable banner: cannot store a {name} from bytearray.*c\.pointer"
    ):
        variable.value = bytearray(b"gone")
    assert library.variable("banner", T["string"]).value == "grüß dich"


def test_a_users_type_over_a_string_cannot_be_stored_either(library: Library) -> None:
    upper = define_type("upper", T["string"], to_foreign=str.upper, from_foreign=str.lower, replace=True)
    variable = library.variable("banner", upper)
    assert variable.value == "grüß dich"
    with pytest.raises(ArgumentTypeError, match="nothing would keep its memory alive"):
        variable.value = "gone"


def test_an_address_of_ones_own_memory_can_be_stored(library: Library) -> None:
    text = ctypes.create_string_buffer(b"mine")
    variable = library.variable("banner", T["pointer"])
    before = variable.value
    variable.value = ctypes.addressof(text)
    assert library.variable("banner", T["string"]).value == "mine"
    variable.value = before


def test_a_value_that_does_not_fit_names_the_variable_and_changes_nothing(library: Library) -> None:
    variable = library.variable("variable_schar", T["schar"])
    variable.value = 5
    with pytest.raises(ArgumentRangeError, match="variable variable_schar: 200 does not fit schar"):
        variable.value = 200
    with pytest.raises(ArgumentTypeError, match="variable variable_schar: expected an integer"):
        variable.value = 1.5
    assert variable.value == 5


def test_a_variable_has_a_type_with_a_size(library: Library) -> None:
    with pytest.raises(DeclarationError, match="variable_int cannot be void"):
        library.variable("variable_int", None)
    with pytest.raises(DeclarationError, match=r"c\.int"):
        library.variable("variable_int", int)


def test_a_variable_lends_its_address_where_a_pointer_is_wanted(library: Library) -> None:
    variable = library.variable("variable_int", T["int"])
    same = library.bind("same_pointer", T["pointer"], [T["pointer"]])
    assert same(variable) == variable.address == library.symbol("variable_int")


def test_a_variable_shows_its_name_type_and_address(library: Library) -> None:
    variable = library.variable("variable_int", T["int"])
    assert repr(variable) == f"<foreign variable variable_int: int at {variable.address:#x}>"
