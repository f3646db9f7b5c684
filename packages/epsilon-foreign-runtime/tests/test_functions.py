"""Bound functions: values both ways, keywords, what they tell about themselves, and how long they live."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref

import pytest
from epsilon.foreign.runtime import TYPES, Declaration, DeclarationError, Declared, Library, use_backend

T = TYPES

#: Values that every scalar type must carry to C and back, as Python shows them.
SCALARS = {
    **{
        name: [low, -1, 0, 1, high]
        for name in (
            *("schar", "short", "int", "long", "longlong", "int8", "int16", "int32", "int64"),
            *("ssize_t", "ptrdiff_t", "intptr_t"),
        )
        for low, high in [T[name].abi.bounds]
    },
    **{
        name: [0, 1, T[name].abi.bounds[1]]
        for name in (
            *("uchar", "ushort", "uint", "ulong", "ulonglong", "uint8", "uint16", "uint32", "uint64"),
            *("size_t", "uintptr_t"),
        )
    },
    "bool": [True, False],
    "char": [b"a", b"\0", b"\x7f", b"\xff"],
    "wchar": ["a", "ß", "中", "\U0001f40d", "\0"],
    "float": [0.0, -1.5, float("inf"), 2.0**-149],
    "double": [0.0, -0.1, float("-inf"), 5e-324],
    "longdouble": [0.0, 0.1, -1e300],
    "float_complex": [0j, 1.5 - 2.5j],
    "double_complex": [0j, 0.1 - 0.2j],
    "pointer": [None, 1, 2**48 - 1],
}


@pytest.mark.parametrize("name", SCALARS)
def test_every_scalar_type_carries_its_values_there_and_back(library: Library, name: str) -> None:
    same = library.bind(f"same_{name}", T[name], [T[name]])
    for value in SCALARS[name]:
        result = same(value)
        assert result == value
        assert type(result) is type(value)


def test_objects_that_are_numbers_in_python_are_numbers_to_c(library: Library) -> None:
    class Seven:
        def __index__(self) -> int:
            return 7

    class Half:
        def __float__(self) -> float:
            return 0.5

    assert library.bind("same_int", T["int"], [T["int"]])(Seven()) == 7
    assert library.bind("same_int", T["int"], [T["int"]])(True) == 1
    assert library.bind("same_double", T["double"], [T["double"]])(Half()) == 0.5
    assert library.bind("same_double", T["double"], [T["double"]])(3) == 3.0
    assert library.bind("same_bool", T["bool"], [T["bool"]])(1) is True
    assert library.bind("same_char", T["char"], [T["char"]])(65) == b"A"


def test_strings_are_utf8_and_null_is_none_both_ways(library: Library) -> None:
    echo = library.bind("echo", T["string"], [T["string"]])
    length = library.bind("length", T["size_t"], [T["string"]])
    for text in ("", "plain", "grüß dich", "中文", "\U0001f40d", "a" * 100_000):
        assert echo(text) == text
        assert length(text) == len(text.encode())
    assert echo(None) is None
    assert length(None) == T["size_t"].abi.bounds[1]
    assert echo(b"bytes serve too") == "bytes serve too"


def test_bytes_stay_bytes(library: Library) -> None:
    echo = library.bind("echo", T["bytes"], [T["bytes"]])
    assert echo(b"gr\xfc\xdf") == b"gr\xfc\xdf"
    assert echo(None) is None
    assert library.bind("latin1", T["bytes"])() == b"gr\xfc\xdf"


def test_a_result_that_is_no_utf8_raises_unicode_decode_error(library: Library) -> None:
    with pytest.raises(UnicodeDecodeError):
        library.bind("latin1", T["string"])()


def test_buffers_lend_their_memory_for_the_call(library: Library) -> None:
    sum_bytes = library.bind("sum_bytes", T["ulong"], [T["buffer"], T["size_t"]])
    fill = library.bind("fill", None, [T["mutable_buffer"], T["int"], T["size_t"]])
    for data in (b"\1\2\3", bytearray(b"\1\2\3"), memoryview(b"0\1\2\3")[1:]):
        assert sum_bytes(data, 3) == 6
    assert sum_bytes(None, 0) == 0
    data = bytearray(5)
    fill(memoryview(data)[1:], 7, 3)
    assert data == b"\0\7\7\7\0"
    data.clear()  # no export is left behind


def test_void_results_are_none(library: Library) -> None:
    assert library.bind("do_nothing", None)() is None
    assert library.bind("do_nothing", T["void"])() is None


def test_arguments_can_be_given_by_name_and_left_to_defaults(library: Library) -> None:
    declaration = Declaration(
        "add", T["int"], (Declared(T["int"], "a"), Declared(T["int"], "b", 10)), doc="a plus b"
    )
    add = library.bind_declaration("add", declaration)
    assert add(1) == add(a=1) == 11
    assert add(1, 2) == add(1, b=2) == add(b=2, a=1) == 3


def test_a_default_that_does_not_fit_is_told_when_it_is_used(library: Library) -> None:
    declaration = Declaration("add", T["int"], (Declared(T["int"], "a"), Declared(T["int"], "b", "ten")))
    add = library.bind_declaration("add", declaration)
    assert add(1, 2) == 3
    with pytest.raises(TypeError, match=r"argument 2 \('b'\).*str"):
        add(1)


def test_a_function_shows_its_name_and_documentation(library: Library) -> None:
    add = library.bind("add", T["int"], [T["int"], T["long"]], names=["a", "b"], doc="a plus b")
    assert add.__name__ == "add"
    assert add.__doc__ == "a plus b"
    assert "add" in repr(add)


def test_a_function_or_what_it_is_bound_to_shows_prototype_address_and_backend(
    backend: str, library: Library
) -> None:
    add = library.bind("add", T["int"], [T["int"], T["long"]], names=["a", "b"])
    # The trampoline's functions are builtins, which cannot have attributes; their `__self__` has them.
    described = getattr(add, "__self__", add)
    assert described.address == library.symbol("add")
    assert described.backend == backend
    for words in ("add(a: int, b: long) -> int", hex(described.address), backend):
        assert words in repr(described)
    library.close()
    assert "closed" in repr(described)


def test_inspect_knows_names_kinds_and_defaults(library: Library) -> None:
    def shown(function) -> list[tuple[str, str, object]]:
        return [(p.name, p.kind.name, p.default) for p in inspect.signature(function).parameters.values()]

    none = inspect.Parameter.empty
    add = library.bind_declaration(
        "add", Declaration("add", T["int"], (Declared(T["int"], "a"), Declared(T["long"], "b", 10)))
    )
    assert shown(add) == [("a", "POSITIONAL_OR_KEYWORD", none), ("b", "POSITIONAL_OR_KEYWORD", 10)]
    nameless = library.bind("add", T["int"], [T["int"], T["int"]])
    assert shown(nameless) == [("arg1", "POSITIONAL_ONLY", none), ("arg2", "POSITIONAL_ONLY", none)]
    variadic = library.bind("sum_ints", T["int"], [T["int"]], variadic=True)
    assert shown(variadic) == [("arg1", "POSITIONAL_ONLY", none), ("args", "VAR_POSITIONAL", none)]


@pytest.mark.parametrize("variadic", [False, True])
def test_pickling_is_refused_with_the_reason(library: Library, variadic: bool) -> None:
    function = library.bind("sum_ints", T["int"], [T["int"]], variadic=variadic)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(
            TypeError, match=r"cannot pickle foreign function 'sum_ints': an address means nothing"
        ):
            pickle.dumps(function, protocol)
    with pytest.raises(TypeError, match="cannot pickle library"):
        pickle.dumps(library)


@pytest.mark.parametrize("variadic", [False, True])
def test_a_copy_of_a_function_is_the_function_as_everywhere_in_python(
    library: Library, variadic: bool
) -> None:
    function = library.bind("sum_ints", T["int"], [T["int"]], variadic=variadic)
    assert copy.copy(function) is function
    assert copy.deepcopy([function])[0] is function


def test_a_function_serves_wherever_a_callable_does(library: Library) -> None:
    add = library.bind("add", T["int"], [T["int"], T["int"]])
    assert list(map(add, [1, 2], [10, 20])) == [11, 22]
    assert callable(add)
    assert {add: 1}[add] == 1

    class Holder:
        function = add

    assert Holder().function(1, 2) == 3  # no method: C knows no self


def test_a_library_does_not_keep_its_functions_alive(library: Library) -> None:
    def bound(**options):
        return weakref.ref(library.bind("sum_ints", T["int"], [T["int"]], **options))

    references = [bound(), bound(variadic=True)]
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    for _ in range(100):
        library.bind("add", T["int"], [T["int"], T["int"]])
    gc.collect()
    assert len(library._functions) == 0


def test_functions_outlive_the_library_object_which_they_do_not_keep_alive(
    backend: str, library_path
) -> None:
    library = Library(library_path)
    add = library.bind("add", T["int"], [T["int"], T["int"]])
    reference = weakref.ref(library)
    del library
    gc.collect()
    assert reference() is None
    assert add(1, 2) == 3


def test_the_backend_is_chosen_when_a_function_is_bound(backend: str, library: Library) -> None:
    with use_backend("ctypes"):
        add = library.bind("add", T["int"], [T["int"], T["int"]])
    assert add.backend == "ctypes"
    assert add(1, 2) == 3
    preferred = library.bind("add", T["int"], [T["int"], T["int"]])
    assert getattr(preferred, "__self__", preferred).backend == backend


def test_a_function_may_hold_the_gil(library: Library) -> None:
    assert library.bind("add", T["int"], [T["int"], T["int"]], release_gil=False)(1, 2) == 3


def test_a_variadic_function_has_no_defaults(library: Library) -> None:
    declaration = Declaration("sum_ints", T["int"], (Declared(T["int"], "count", 0),), variadic=True)
    with pytest.raises(DeclarationError, match="cannot have defaults"):
        library.bind_declaration("sum_ints", declaration)
