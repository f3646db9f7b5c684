"""Copies of a library side by side, each with its own variables and its own errno."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from epsilon.foreign.ext.platform.loaded import dlfcn

SOURCE = """
#include <errno.h>
#include <stdlib.h>
int counter = 41;
static int state;
int next(void) { return ++state; }
int fail_with(int code) { errno = code; return code ? -1 : 0; }
int apply(int (*f)(int), int x) { return f(x); }
int sumv(int n, ...)
{ __builtin_va_list ap; __builtin_va_start(ap, n); int s = 0; while (n--) s += __builtin_va_arg(ap, int); return s; }
"""


def has_namespaces() -> bool:
    """Does the C library have dlmopen?"""
    try:
        platform.namespace().close()
    except platform.PlatformError:
        return False
    return True


pytestmark = pytest.mark.skipif(not has_namespaces(), reason="dlmopen is the GNU C library's")


@pytest.fixture(scope="module")
def path(compile_library) -> Path:
    return compile_library(SOURCE, "libstateful.so")


@pytest.fixture
def space() -> Iterator[platform.Namespace]:
    with platform.namespace() as space:
        yield space


def test_two_copies_have_variables_of_their_own(path: Path, space: platform.Namespace) -> None:
    ours, copy = ffi.Library(path), space.library(path)
    with platform.namespace() as third:
        another = third.library(path)
        libraries = ours, copy, another
        for number, library in enumerate(libraries):
            assert library.variable("counter", c.int).value == 41
            library.variable("counter", c.int).value = number
        assert [library.variable("counter", c.int).value for library in libraries] == [0, 1, 2]
        counts = [library.bind("next", c.int) for library in libraries]
        assert [count() for count in (*counts, counts[1], counts[2], counts[1])] == [1, 1, 1, 2, 2, 3]
    ours.close()


def test_a_library_opened_twice_in_a_namespace_is_one_copy(path: Path, space: platform.Namespace) -> None:
    first, second = space.library(path), space.library(path)
    first.variable("counter", c.int).value = 7
    assert second.variable("counter", c.int).value == 7
    first.close()
    assert second.variable("counter", c.int).value == 7


def test_short_names_work_and_the_c_library_is_a_copy_too(space: platform.Namespace) -> None:
    libm = space.library("m")
    assert libm.bind("cos", c.double, [c.double])(0.0) == 1.0
    assert space.library("libc.so.6").symbol("stdout") != ffi.Library(None).symbol("stdout")
    with pytest.raises(ffi.LibraryError, match="no-such-library"):
        space.library("no-such-library")


def test_everything_that_a_library_can_do_works_in_a_copy(path: Path, space: platform.Namespace) -> None:
    copy = space.library(path)

    @copy.function
    def apply(f: ffi.Callback[[c.int], c.int], x: c.int) -> c.int:
        """Call f."""

    assert apply(lambda x: x * 2, 21) == 42
    assert apply.__doc__ == "Call f." and apply.__name__ == "apply"
    assert ffi.describe(apply).address == copy.symbol("apply")
    assert copy.bind("sumv", c.int, [c.int], variadic=True)(3, 1, 2, 3) == 6
    with pytest.raises(ZeroDivisionError):
        apply(lambda x: 1 // 0, 1)
    with pytest.raises(ffi.ArgumentError, match="apply"):
        apply(None, "x")
    assert "x" in repr(apply) or "apply" in repr(apply)


def test_a_check_sees_the_errno_of_the_copy(path: Path, space: platform.Namespace) -> None:
    copy = space.library(path)
    fail = copy.bind("fail_with", c.int, [c.int], check=ffi.check_nonnegative)
    with pytest.raises(PermissionError, match="fail_with"):
        fail(errno.EACCES)
    assert fail(0) == 0
    always = copy.bind("fail_with", c.int, [c.int], check=ffi.check_errno)
    assert copy.bind("fail_with", c.int, [c.int])(errno.ENOENT) == -1
    assert always(0) == 0  # what an earlier call left does not count
    with pytest.raises(FileNotFoundError):
        always(errno.ENOENT)
    kept = copy.bind("fail_with", c.int, [c.int], check=platform.keep_error)
    kept(errno.EBUSY)
    assert platform.last_error().name == "EBUSY"


def test_leaving_the_block_closes_what_was_opened_in_it(path: Path) -> None:
    with platform.namespace() as space:
        copy = space.library(path)
        count, variable = copy.bind("next", c.int), copy.variable("counter", c.int)
        assert count() == 1
    assert space.closed and copy.closed and repr(space) == "<namespace closed>"
    with pytest.raises(ffi.ClosedLibraryError, match=r"next\(\)"):
        count()
    with pytest.raises(ffi.ClosedLibraryError):
        _ = variable.value
    with pytest.raises(ffi.LifetimeError, match="closed"):
        space.library(path)
    space.close()
    assert not [library for library in platform.loaded_libraries() if library.path == str(path)]


def test_a_namespace_is_not_closed_under_a_running_callback(path: Path) -> None:
    space = platform.namespace()
    apply = space.library(path).bind("apply", c.int, [ffi.Callback[[c.int], c.int], c.int])

    def closing(x: int) -> int:
        with pytest.raises(platform.NamespaceInUseError, match="a call of its functions is running"):
            space.close()
        return x + 1

    assert apply(closing, 1) == 2
    assert apply(lambda x: x, 5) == 5  # nothing was closed
    space.close()


def test_a_namespace_is_not_closed_under_another_thread(path: Path) -> None:
    space = platform.namespace()
    library = space.library(path)
    apply = library.bind("apply", c.int, [ffi.Callback[[c.int], c.int], c.int])
    inside, leave = threading.Event(), threading.Event()

    def waiting(x: int) -> int:
        inside.set()
        leave.wait(30)
        return x

    thread = threading.Thread(target=apply, args=(waiting, 1))
    thread.start()
    assert inside.wait(30)
    for close in (space.close, library.close):
        with pytest.raises(platform.NamespaceInUseError, match="is in use"):
            close()
    leave.set()
    thread.join()
    space.close()


def test_a_namespace_is_not_closed_under_exported_memory(path: Path) -> None:
    space = platform.namespace()
    copy = space.library(path)
    view = memoryview(copy.variable("counter", c.int).pointer())
    with pytest.raises(platform.NamespaceInUseError, match="in use"):
        space.close()
    assert bytes(view[:1].cast("B"))[:1] == b"\x29" if view.format == "B" else view.nbytes == 4
    view.release()
    del view
    gc.collect()
    space.close()
    assert space.closed


def test_calls_and_closing_at_once_end_in_results_or_errors(path: Path) -> None:
    for _ in range(20):
        space = platform.namespace()
        apply = space.library(path).bind("apply", c.int, [ffi.Callback[[c.int], c.int], c.int])
        outcomes: list[object] = []

        def call(apply=apply, outcomes=outcomes) -> None:
            try:
                while True:
                    assert apply(lambda x: x, 3) == 3
                    time.sleep(0.001)  # nobody can close what is in use all the time
            except ffi.ClosedLibraryError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
        while not space.closed:
            try:
                space.close()
            except platform.NamespaceInUseError:
                time.sleep(0.0003)
        for thread in threads:
            thread.join()
        assert len(outcomes) == 2


def test_without_guards_functions_are_those_of_ordinary_libraries(path: Path) -> None:
    with platform.namespace(guarded=False) as space:
        copy = space.library(path)
        assert type(copy.bind("next", c.int)) is type(ffi.Library(path).bind("next", c.int))
        fail = copy.bind("fail_with", c.int, [c.int], check=ffi.check_nonnegative)
        with pytest.raises(PermissionError):
            fail(errno.EACCES)


def test_the_process_itself_is_in_no_other_namespace(space: platform.Namespace) -> None:
    with pytest.raises(OSError, match="ordinary namespace"):
        space.library(None)


def test_a_namespace_is_of_this_process(path: Path, space: platform.Namespace) -> None:
    copy = space.library(path)
    try:
        isolated = platform.isolated()
    except ffi.BackendUnavailableError as error:
        pytest.skip(str(error))
    with isolated as backend, ffi.use_backend(backend):
        for use in (platform.namespace, lambda: space.library(path), lambda: copy.bind("next", c.int)):
            with pytest.raises(platform.UnsupportedPlatformError, match="of this process"):
                use()


def test_copies_are_listed_with_the_number_of_their_namespace(path: Path, space: platform.Namespace) -> None:
    opened = ffi.Library(path), space.library(path)
    found = [library for library in platform.loaded_libraries() if library.path == str(path)]
    assert sorted(library.namespace > 0 for library in found) == [False, True]
    assert all(any(each.holds(library.symbol("next")) for library in opened) for each in found)
    assert platform.symbol_at(opened[1].symbol("next")).name == "next"
    opened[0].close()


@pytest.mark.once
def test_the_limit_is_an_error_that_names_it_and_everything_can_be_given_back() -> None:
    program = """
from epsilon.foreign.ext import platform
for _ in range(3):
    spaces = []
    try:
        while True:
            spaces.append(platform.namespace())
    except platform.NamespaceError as error:
        assert isinstance(error, OSError) and "16" in str(error), error
    assert 2 <= len(spaces) < 16, len(spaces)
    for space in reversed(spaces):
        space.close()
print("ended")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


@pytest.mark.once
def test_a_c_library_without_namespaces_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Without:
        def __getitem__(self, name: str) -> object:
            raise AttributeError(name)

    dlfcn._function.cache_clear()
    monkeypatch.setattr(dlfcn.ctypes, "CDLL", lambda name: Without())
    with pytest.raises(platform.UnsupportedPlatformError, match="dlmopen"):
        platform.namespace()
    monkeypatch.undo()
    dlfcn._function.cache_clear()


def test_many_namespaces_in_a_row_leave_nothing_behind(path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    with platform.namespace() as space:
        space.library(path).bind("next", c.int)()
    before, libraries = descriptors(), len(platform.loaded_libraries())
    for _ in range(50):
        with platform.namespace() as space:
            assert space.library(path).bind("next", c.int)() == 1
    assert (descriptors(), len(platform.loaded_libraries())) == (before, libraries)
