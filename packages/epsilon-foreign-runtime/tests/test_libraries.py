"""Libraries: open, resolve, close, open again."""

from __future__ import annotations

import gc
import os
import weakref

import pytest
from epsilon.foreign.runtime import TYPES, ClosedLibraryError, Library, shared_library

T = TYPES


def test_the_process_itself_is_a_library(backend: str) -> None:
    process = Library(None)
    assert process.name is process.path is None
    assert process.bind("abs", T["int"], [T["int"]])(-7) == 7
    assert "of the process" in repr(process)


def test_a_library_is_opened_by_text_bytes_and_path_objects(backend: str, library_path) -> None:
    for name in (str(library_path), os.fsencode(library_path), library_path):
        library = Library(name)
        assert library.name == library.path == str(library_path)
        assert library.bind("add", T["int"], [T["int"], T["int"]])(1, 2) == 3


def test_a_symbol_is_resolved_once_and_told_by_in(library: Library) -> None:
    asked = []
    look_up = library._backend.dlsym
    library._backend = type(
        "Counting", (), {"dlsym": lambda _, *args: asked.append(args) or look_up(*args)}
    )()
    assert library.symbol("add") == library.symbol("add")
    assert len(asked) == 1
    assert "add" in library
    assert "no_such_symbol" not in library
    assert 5 not in library


def test_flags_are_those_of_dlopen(backend: str, library_path) -> None:
    library = Library(library_path, flags=os.RTLD_GLOBAL | os.RTLD_LAZY)
    assert library.bind("add", T["int"], [T["int"], T["int"]])(1, 2) == 3


def test_with_closes_the_library_and_its_functions_raise(backend: str, library_path) -> None:
    with Library(library_path) as library:
        add = library.bind("add", T["int"], [T["int"], T["int"]])
        variable = library.variable("variable_int", T["int"])
        assert not library.closed
        assert add(1, 2) == 3
    assert library.closed
    assert "closed" in repr(library)
    for use in (lambda: add(1, 2), lambda: variable.value, lambda: setattr(variable, "value", 1)):
        with pytest.raises(ClosedLibraryError, match="closed"):
            use()


def test_closing_twice_does_nothing(library: Library) -> None:
    library.close()
    library.close()
    with library:
        pass


def test_with_closes_after_an_exception_too(backend: str, library_path) -> None:
    with pytest.raises(KeyError), Library(library_path) as library:
        raise KeyError
    assert library.closed


def test_a_second_library_of_the_same_file_stays_open(backend: str, library_path) -> None:
    first, second = Library(library_path), Library(library_path)
    add = second.bind("add", T["int"], [T["int"], T["int"]])
    first.close()
    assert add(1, 2) == 3
    assert second.symbol("add")


def test_a_closed_library_can_be_opened_and_bound_again(backend: str, library_path) -> None:
    first = Library(library_path)
    old = first.bind("add", T["int"], [T["int"], T["int"]])
    first.close()
    new = Library(library_path).bind("add", T["int"], [T["int"], T["int"]])
    assert new(1, 2) == 3
    with pytest.raises(ClosedLibraryError):
        old(1, 2)


def test_close_reaches_functions_of_every_backend(backend: str, library_path, request) -> None:
    from epsilon.foreign.runtime import available_backends, get_backend, use_backend

    library = Library(library_path)
    functions = []
    for name in available_backends():
        if getattr(get_backend(name), "remote", None) is not None:
            continue  # an extension's, whose functions are in another process
        with use_backend(name):
            functions.append(library.bind("add", T["int"], [T["int"], T["int"]]))
    library.close()
    for function in functions:
        with pytest.raises(ClosedLibraryError):
            function(1, 2)


def test_a_library_is_collected_with_its_functions_variables_and_variadics(
    backend: str, library_path
) -> None:
    library = Library(library_path)
    kept = [
        library.bind("add", T["int"], [T["int"], T["int"]]),
        library.bind("sum_ints", T["int"], [T["int"]], variadic=True),
    ]
    kept[1](1, 2)
    reference = weakref.ref(library)
    del library
    gc.collect()
    assert reference() is None
    assert kept[0](1, 2) == 3


def test_a_variable_keeps_its_library_alive(backend: str, library_path) -> None:
    reference = weakref.ref(Library(library_path))
    assert reference() is None
    variable = Library(library_path).variable("variable_int", T["int"])
    gc.collect()
    assert variable.value == 0


def test_the_shared_library_of_a_name_is_one_and_is_opened_again_after_close(
    backend: str, library_path
) -> None:
    shared = shared_library(library_path)
    assert shared_library(str(library_path)) is shared
    assert shared_library(None) is shared_library(None)
    shared.close()
    again = shared_library(library_path)
    assert again is not shared
    assert again.bind("add", T["int"], [T["int"], T["int"]])(1, 2) == 3
    again.close()
