"""What the last foreign call left in errno: names, words, exceptions; each thread's and task's own."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import threading

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from epsilon.foreign.ext.platform import ErrorCode, keep_error, last_error

SOURCE = """
#include <errno.h>
int fail_with(int code) { errno = code; return code ? -1 : 0; }
void *find(int code) { errno = code; return code ? 0 : &errno; }
"""


@pytest.fixture(scope="module")
def library(compile_library) -> ffi.Library:
    return ffi.Library(compile_library(SOURCE, "libfailing.so"))


@pytest.fixture
def fail(library: ffi.Library):
    """Sets errno to its argument; what it leaves is kept."""
    return library.bind("fail_with", c.int, [c.int], check=keep_error)


def test_what_a_call_left_is_kept_with_its_name_and_words(fail) -> None:
    assert fail(errno.ENOENT) == -1
    error = last_error()
    assert error == ErrorCode(errno.ENOENT, "errno", "fail_with") and error
    assert (error.name, error.message) == ("ENOENT", os.strerror(errno.ENOENT))
    assert str(error) == f"ENOENT (2): {error.message}, left by fail_with()"


def test_a_call_that_succeeds_leaves_nothing(fail) -> None:
    fail(errno.EIO)
    assert fail(0) == 0
    assert not last_error() and last_error().name == "SUCCESS"


def test_nothing_that_python_does_changes_it(fail, library: ffi.Library) -> None:
    plain = library.bind("fail_with", c.int, [c.int])
    fail(errno.EXDEV)
    with pytest.raises(FileNotFoundError):
        os.stat("/no/such/file")
    ctypes.set_errno(errno.EPERM)
    plain(errno.EBADF)  # not declared to keep its error
    with pytest.raises(OverflowError):
        fail(1 << 80)  # does not come to a call
    assert last_error().name == "EXDEV"


def test_each_thread_has_its_own(fail) -> None:
    fail(errno.EEXIST)
    seen: dict[int, list[str]] = {}
    together = threading.Barrier(4)

    def work(code: int) -> None:
        before = last_error().name
        fail(code)
        together.wait(30)
        seen[code] = [before, last_error().name]

    codes = (errno.ENOENT, errno.EACCES, errno.EPIPE, errno.EBUSY)
    threads = [threading.Thread(target=work, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {code: ["SUCCESS", errno.errorcode[code]] for code in codes}
    assert last_error().name == "EEXIST"


def test_each_task_has_its_own(fail) -> None:
    async def work(code: int) -> str:
        fail(code)
        await asyncio.sleep(0.001)
        return last_error().name

    async def both() -> list[str]:
        return await asyncio.gather(work(errno.ENOENT), work(errno.EACCES))

    assert asyncio.run(both()) == ["ENOENT", "EACCES"]


def test_another_check_decides_after_the_error_was_kept(library: ffi.Library) -> None:
    fail = library.bind("fail_with", c.int, [c.int], check=keep_error(ffi.check_nonnegative))
    with pytest.raises(PermissionError, match="fail_with"):
        fail(errno.EACCES)
    assert last_error().name == "EACCES"
    assert fail(0) == 0 and not last_error()
    find = library.bind("find", c.pointer, [c.int], check=keep_error(ffi.check_nonnull))
    with pytest.raises(FileNotFoundError):
        find(errno.ENOENT)
    assert find(0) and not last_error()


@pytest.mark.parametrize("guard", ["NEGATIVE", "NONZERO", "ZERO"])
def test_a_guarded_check_sees_only_what_it_is_for(library: ffi.Library, guard: str) -> None:
    from epsilon.foreign.backend import Guard

    seen = []

    @ffi.guarded(Guard[guard])
    def check(result, errno, function):
        seen.append(result)
        return result

    fail = library.bind("fail_with", c.int, [c.int], check=keep_error(check))
    fail(0)
    fail(errno.EIO)
    assert seen == {"NEGATIVE": [-1], "NONZERO": [-1], "ZERO": [0]}[guard]
    assert last_error().name == "EIO"


CLASSES = [
    (errno.ENOENT, FileNotFoundError),
    (errno.EACCES, PermissionError),
    (errno.EAGAIN, BlockingIOError),
    (errno.ECONNREFUSED, ConnectionRefusedError),
    (errno.EINVAL, OSError),
]


@pytest.mark.once
@pytest.mark.parametrize(("code", "builtin"), CLASSES, ids=lambda value: str(value))
def test_a_code_is_raised_as_pythons_own_exception_for_it(code: int, builtin: type[OSError]) -> None:
    error = ErrorCode(code)
    assert error.exception_class is builtin
    made = error.exception("open")
    assert isinstance(made, builtin) and isinstance(made, ffi.ForeignError)
    assert made.errno == code and str(made) == f"[Errno {code}] open(): {os.strerror(code)}"


@pytest.mark.once
def test_windows_codes_have_names_words_and_exceptions() -> None:
    error = ErrorCode(5, "windows", "CreateFileW")
    assert (error.name, error.errno, error.exception_class) == (
        "ERROR_ACCESS_DENIED",
        errno.EACCES,
        PermissionError,
    )
    made = error.exception()
    assert isinstance(made, PermissionError)
    assert str(made) == f"[Errno {errno.EACCES}] CreateFileW(): Access is denied. (ERROR_ACCESS_DENIED)"
    unknown = ErrorCode(54321, "windows")
    assert (unknown.name, unknown.message, unknown.errno) == ("54321", "Windows error 54321", errno.EINVAL)


@pytest.mark.once
def test_a_code_without_a_name_is_its_number() -> None:
    assert ErrorCode(9999).name == "9999"


@pytest.mark.once
def test_windows_own_last_error_is_unsupported_here() -> None:
    with pytest.raises(platform.UnsupportedPlatformError, match="windows"):
        last_error("windows")
