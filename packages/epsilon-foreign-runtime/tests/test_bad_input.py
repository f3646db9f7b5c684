"""What goes wrong at a call or a declaration says what went wrong, on every backend alike."""

from __future__ import annotations

import re

import pytest
from epsilon.foreign.backend import unregister_backend
from epsilon.foreign.runtime import (
    TYPES,
    ArgumentRangeError,
    ArgumentTypeError,
    ArgumentValueError,
    BackendUnavailableError,
    ClosedLibraryError,
    DeclarationError,
    ForeignError,
    Library,
    LibraryError,
    SymbolNotFoundError,
    UnknownBackendError,
    UnsupportedSignatureError,
    available_backends,
    check_nonnegative,
    check_nonnull,
    check_zero,
    get_backend,
    register_backend,
    unavailable_reason,
    use_backend,
)

T = TYPES

#: parameter types, arguments, error, the builtin it also is, what the message must contain.
BAD_CALLS = {
    "no argument": (["int"], (), ArgumentTypeError, TypeError, ["x0", "missing", "1 argument"]),
    "one too many": (["int"], (1, 2), ArgumentTypeError, TypeError, ["1 argument", "got 2"]),
    "some for none": ([], (1,), ArgumentTypeError, TypeError, ["no arguments", "got 1"]),
    "text for an integer": (["int"], ("1",), ArgumentTypeError, TypeError, ["'x0'", "str", "integer", "int"]),
    "None for an integer": (["int"], (None,), ArgumentTypeError, TypeError, ["'x0'", "None", "integer"]),
    "float for an integer": (["long"], (1.0,), ArgumentTypeError, TypeError, ["'x0'", "float", "integer"]),
    "text for a double": (["double"], ("1",), ArgumentTypeError, TypeError, ["'x0'", "str", "float"]),
    "complex for a double": (["double"], (1j,), ArgumentTypeError, TypeError, ["'x0'", "complex", "float"]),
    "second argument": (
        ["int", "int"],
        (1, b""),
        ArgumentTypeError,
        TypeError,
        ["argument 2 ('x1')", "bytes"],
    ),
    "an int too large": (["int"], (2**31,), ArgumentRangeError, OverflowError, ["'x0'", "2147483648", "int"]),
    "an int too small": (
        ["int8"],
        (-129,),
        ArgumentRangeError,
        OverflowError,
        ["-129", "int8", "-128 to 127"],
    ),
    "negative for unsigned": (["uint64"], (-1,), ArgumentRangeError, OverflowError, ["-1", "uint64"]),
    "a huge int": (
        ["long"],
        (10**5000,),
        ArgumentRangeError,
        OverflowError,
        ["an integer of", "bits", "long"],
    ),
    "a huge int for a double": (["double"], (10**400,), ArgumentRangeError, OverflowError, ["double"]),
    "2 for a bool": (["bool"], (2,), ArgumentRangeError, OverflowError, ["2", "bool", "0 or 1"]),
    "text for a bool": (["bool"], ("yes",), ArgumentTypeError, TypeError, ["True or False", "str"]),
    "two bytes for a char": (["char"], (b"ab",), ArgumentValueError, ValueError, ["one byte", "2"]),
    "300 for a char": (["char"], (300,), ArgumentRangeError, OverflowError, ["300", "char"]),
    "two characters for a wchar": (
        ["wchar"],
        ("ab",),
        ArgumentValueError,
        ValueError,
        ["one character", "2"],
    ),
    "bytes for a wchar": (["wchar"], (b"a",), ArgumentTypeError, TypeError, ["wchar_t", "bytes"]),
    "a number for a string": (["string"], (1,), ArgumentTypeError, TypeError, ["'x0'", "str", "int"]),
    "a NUL inside": (["string"], ("a\0b",), ArgumentValueError, ValueError, ["'x0'", "NUL", r"a\x00b"]),
    "a lone surrogate": (["string"], ("\ud800",), ArgumentValueError, ValueError, ["'x0'", "UTF-8"]),
    "text for bytes": (["bytes"], ("a",), ArgumentTypeError, TypeError, ["'x0'", "bytes", "str"]),
    "text for a buffer": (["buffer"], ("a",), ArgumentTypeError, TypeError, ["'x0'", "buffer", "str"]),
    "read-only memory": (["mutable_buffer"], (b"a",), ArgumentTypeError, TypeError, ["writable", "bytes"]),
    "text for a pointer": (["pointer"], ("a",), ArgumentTypeError, TypeError, ["'x0'", "pointer", "str"]),
    "a buffer for a pointer": (["pointer"], (b"a",), ArgumentTypeError, TypeError, ["c.buffer", "bytes"]),
    "an address too large": (["pointer"], (2**64,), ArgumentRangeError, OverflowError, ["'x0'", "pointer"]),
    "a complex too textual": (["double_complex"], ("1j",), ArgumentTypeError, TypeError, ["complex", "str"]),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_argument_raises_and_names_function_parameter_value_and_expectation(
    library: Library, case: str
) -> None:
    types, arguments, error, builtin, words = BAD_CALLS[case]
    # The address of a function of no parameters: nothing is called, so any will do.
    function = library.bind(
        "do_nothing", None, [T[name] for name in types], names=[f"x{i}" for i in range(len(types))]
    )
    with pytest.raises(error) as caught:
        function(*arguments)
    assert isinstance(caught.value, builtin)
    assert isinstance(caught.value, ForeignError)
    for word in ["do_nothing()", *words]:
        assert word in str(caught.value)


def test_nameless_parameters_are_named_by_position(library: Library) -> None:
    with pytest.raises(ArgumentTypeError, match=r"add\(\) argument 2: expected an integer for int, got str"):
        library.bind("add", T["int"], [T["int"], T["int"]])(1, "2")


def test_an_unknown_keyword_a_repeated_one_and_a_missing_argument_are_told_apart(library: Library) -> None:
    add = library.bind("add", T["int"], [T["int"], T["int"]], names=["a", "b"])
    with pytest.raises(ArgumentTypeError, match=r"add\(\) has no parameter 'c'"):
        add(1, 2, c=3)
    with pytest.raises(ArgumentTypeError, match=r"add\(\) got argument 'a' twice"):
        add(1, a=1, b=2)
    with pytest.raises(ArgumentTypeError, match=r"add\(\) is missing argument 1 \('a'\)"):
        add(b=1)
    with pytest.raises(ArgumentTypeError, match=r"add\(\) has no parameter"):
        library.bind("add", T["int"], [T["int"], T["int"]])(1, 2, arg1=1)


def test_exceptions_of_the_value_itself_pass_through_with_a_note(library: Library) -> None:
    class Broken:
        def __index__(self) -> int:
            raise LookupError("no number today")

    add = library.bind("add", T["int"], [T["int"], T["int"]], names=["a", "b"])
    with pytest.raises(LookupError, match="no number today") as caught:
        add(1, Broken())
    assert caught.value.__notes__ == ["while converting add() argument 2 ('b')"]


def test_a_missing_library_lists_what_was_tried(backend: str) -> None:
    with pytest.raises(LibraryError, match="no-such-library") as caught:
        Library("no-such-library")
    assert isinstance(caught.value, OSError)
    assert "libno-such-library.so: " in str(caught.value)


def test_a_missing_symbol_names_library_and_symbol(library: Library) -> None:
    for look_up in (
        library.symbol,
        lambda name: library.bind(name, None),
        lambda n: library.variable(n, T["int"]),
    ):
        with pytest.raises(SymbolNotFoundError, match=r"libfunctions\.so.*'no_such_symbol'") as caught:
            look_up("no_such_symbol")
        assert isinstance(caught.value, AttributeError)


@pytest.mark.parametrize("name", ["", "a\0b", "ünïcödé"])
def test_a_name_that_no_symbol_can_have_is_a_missing_symbol(library: Library, name: str) -> None:
    with pytest.raises(SymbolNotFoundError):
        library.symbol(name)


@pytest.mark.parametrize("name", [5, 1.5, b"add", ["add"]])
def test_a_symbol_is_looked_up_by_text(library: Library, name: object) -> None:
    with pytest.raises(ArgumentTypeError, match=f"symbol's name.*got {type(name).__name__}"):
        library.symbol(name)  # type: ignore[arg-type]


def test_an_unknown_backend_is_told_with_those_there_are() -> None:
    with pytest.raises(
        UnknownBackendError, match=r"'warp'; registered: trampoline, libffi, ctypes"
    ) as caught:
        get_backend("warp")
    assert isinstance(caught.value, LookupError)
    with pytest.raises(UnknownBackendError), use_backend("warp"):
        pass


def test_an_unknown_backend_in_the_environment_is_told_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EPSILON_FOREIGN_BACKEND", "warp")
    with pytest.raises(UnknownBackendError, match="warp"):
        Library(None)


def test_an_unavailable_backend_says_why() -> None:
    def refuse():
        raise BackendUnavailableError("the moon is not full")

    register_backend("lunar", refuse)
    try:
        assert unavailable_reason("lunar") == "the moon is not full"
        assert "lunar" not in available_backends()
        with pytest.raises(BackendUnavailableError, match="the moon is not full") as caught:
            get_backend("lunar")
        assert isinstance(caught.value, RuntimeError)
    finally:
        unregister_backend("lunar")


@pytest.mark.parametrize("convention", ["no-such-convention"])
def test_a_signature_that_no_backend_can_do_names_it_and_the_backends(
    library: Library, convention: str
) -> None:
    with pytest.raises(
        UnsupportedSignatureError, match=r"int32\(int32, int32\).*no-such-convention.*ctypes"
    ) as e:
        library.bind("add", T["int"], [T["int"], T["int"]], convention=convention)
    assert isinstance(e.value, NotImplementedError)


def test_a_text_file_given_as_a_library_is_called_one(backend: str, tmp_path) -> None:
    path = tmp_path / "notes.so"
    path.write_text("shopping: milk, bread\n")
    with pytest.raises(LibraryError, match=r"notes\.so.*text file, not a shared library"):
        Library(path)


@pytest.mark.parametrize("content", [b"", b"\0\1\2\3" * 100, b"\x7fELF" + b"\0" * 60])
def test_a_file_that_is_no_library_raises_with_the_loaders_words(
    backend: str, tmp_path, content: bytes
) -> None:
    path = tmp_path / "broken.so"
    path.write_bytes(content)
    with pytest.raises(LibraryError, match=re.escape(str(path))):
        Library(path)
    with pytest.raises(LibraryError, match="folder"):
        (tmp_path / "folder").mkdir()
        Library(tmp_path / "folder")


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_name_that_no_library_can_have_is_refused(backend: str, name: str) -> None:
    with pytest.raises(LibraryError, match="cannot be the name"):
        Library(name)


@pytest.mark.parametrize("name", [5, 1.5, ["m"], object()])
def test_a_library_is_named_by_text_or_a_path(backend: str, name: object) -> None:
    with pytest.raises(ArgumentTypeError, match=f"library's name or path.*got {type(name).__name__}"):
        Library(name)  # type: ignore[arg-type]


def test_a_function_of_a_closed_library_raises(library: Library) -> None:
    add = library.bind("add", T["int"], [T["int"], T["int"]])
    sum_ints = library.bind("sum_ints", T["int"], [T["int"]], variadic=True)
    unused = library.bind("sum_doubles", T["double"], [T["int"]], variadic=True)
    assert (add(1, 2), sum_ints(1, 5)) == (3, 5)
    library.close()
    for call in (lambda: add(1, 2), lambda: sum_ints(1, 5), lambda: sum_ints(1, 2.5), lambda: unused(0)):
        with pytest.raises(ClosedLibraryError, match=r"(add|sum_ints|sum_doubles)\(\).*closed") as caught:
            call()
        assert isinstance(caught.value, RuntimeError)


def test_a_closed_library_binds_and_resolves_nothing(library: Library) -> None:
    library.symbol("add")
    library.close()
    for use in (
        lambda: library.symbol("add"),
        lambda: library.bind("add", None),
        lambda: library.variable("variable_int", T["int"]),
        lambda: library.handle,
        lambda: "add" in library,
    ):
        with pytest.raises(ClosedLibraryError, match=r"libfunctions\.so.*closed"):
            use()


#: result, parameters, further arguments of `bind`, what the message must contain.
BAD_DECLARATIONS = {
    "Python's int": (int, [], {}, ["int is not a C type", "c.int or c.long"]),
    "Python's float": (None, [float], {}, ["float is not a C type", "c.double"]),
    "Python's str": (None, [str], {}, ["c.string"]),
    "a value": (None, [3], {}, ["3 is not a C type"]),
    "text": ("int", [], {}, ["'int' is not a C type"]),
    "a void parameter": (None, ["int", "void"], {}, ["do_nothing(): parameter 2 cannot be void"]),
    "a buffer as result": ("buffer", [], {}, ["do_nothing()", "buffer", "c.pointer"]),
    "too few names": (None, ["int", "int"], {"names": ["a"]}, ["1 names for 2 parameters"]),
    "a name twice": (None, ["int", "int"], {"names": ["a", "a"]}, ["parameter 'a' is repeated"]),
    "a check that is none": ("int", [], {"check": "errno"}, ["do_nothing()", "check", "str"]),
    "a check of the sign of an unsigned": (
        "uint",
        [],
        {"check": check_nonnegative},
        ["check_nonnegative", "uint"],
    ),
    "a check of a void result": (None, [], {"check": check_zero}, ["check_zero", "void"]),
    "a check for NULL of a complex": ("double_complex", [], {"check": check_nonnull}, ["double_complex"]),
}


@pytest.mark.parametrize("case", BAD_DECLARATIONS)
def test_a_bad_declaration_is_refused_before_any_call(library: Library, case: str) -> None:
    result, parameters, options, words = BAD_DECLARATIONS[case]
    result = T[result] if isinstance(result, str) and case != "text" else result
    with pytest.raises(DeclarationError) as caught:
        library.bind("do_nothing", result, [T[p] if isinstance(p, str) else p for p in parameters], **options)
    assert isinstance(caught.value, TypeError)
    for word in words:
        assert word in str(caught.value)
