"""Binding, calling and closing from several threads."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial

import pytest
from epsilon.foreign.runtime import TYPES, ClosedLibraryError, Library, shared_library

T = TYPES
THREADS = 8


def together(work: Callable[[int], None]) -> None:
    """Run `work` in several threads that begin at once, on the backend of this one; raise their errors."""
    barrier = threading.Barrier(THREADS)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(run, number))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_several_threads_bind_and_call(library: Library) -> None:
    def work(number: int) -> None:
        for i in range(50):
            add = library.bind("add", T["int"], [T["int"], T["int"]])
            assert add(number, i) == number + i

    together(work)


def test_several_threads_call_one_function(library: Library) -> None:
    add = library.bind("add", T["int"], [T["int"], T["int"]])
    fail = library.bind("fail_with", T["int"], [T["int"]], check=lambda result, errno, name: errno)

    def work(number: int) -> None:
        for i in range(500):
            assert add(number, i) == number + i
            assert fail(number + 1) == number + 1  # errno is the thread's own

    together(work)


def test_several_threads_share_one_variadic_function(library: Library) -> None:
    sum_ints = library.bind("sum_ints", T["int"], [T["int"]], variadic=True)

    def work(number: int) -> None:
        for i in range(40):
            assert sum_ints(i % 9, *[number] * (i % 9)) == number * (i % 9)

    together(work)


def test_a_library_that_another_thread_closes_leaves_no_callable_function(backend: str, library_path) -> None:
    # Kept open by this object: a call that began before the close must find the code where it was.
    keep = Library(library_path)
    for _ in range(20):
        library = Library(library_path)
        bound: list[Callable[..., int]] = []
        together(partial(bind_until_closed, library, bound))
        for function in bound:
            with pytest.raises(ClosedLibraryError):
                function(1, 2)
    assert not keep.closed


def bind_until_closed(library: Library, bound: list[Callable[..., int]], number: int) -> None:
    """The first thread closes the library; the others bind and call until that shows."""
    if number == 0:
        library.close()
        return
    try:
        while True:
            function = library.bind("add", T["int"], [T["int"], T["int"]])
            bound.append(function)
            assert function(number, 1) == number + 1
    except ClosedLibraryError:
        pass


def test_several_threads_close_one_library(backend: str, library_path) -> None:
    keep = Library(library_path)
    library = Library(library_path)
    together(lambda number: library.close())
    assert library.closed
    assert keep.bind("add", T["int"], [T["int"], T["int"]])(1, 2) == 3


def test_several_threads_get_the_same_shared_library(backend: str, library_path) -> None:
    found: list[Library] = []
    together(lambda number: found.append(shared_library(library_path)))
    assert len(set(map(id, found))) == 1
    found[0].close()
