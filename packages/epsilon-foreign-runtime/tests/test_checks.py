"""Checks: C's ways of reporting failure become exceptions, and success costs nothing."""

from __future__ import annotations

import errno

import pytest
from epsilon.foreign.backend import Guard
from epsilon.foreign.runtime import (
    TYPES,
    ForeignError,
    ForeignOSError,
    Library,
    check_errno,
    check_nonnegative,
    check_nonnull,
    check_zero,
    define_type,
    guarded,
    os_error,
)

T = TYPES

#: C function, result type, check, and the result of success.
CHECKS = {
    "nonnegative": ("fail_with", "int", check_nonnegative, 0),
    "zero": ("report", "int", check_zero, 0),
    "nonnull text": ("text_with", "string", check_nonnull, "fine"),
    "errno": ("only_errno", "long", check_errno, 7),
}


@pytest.mark.parametrize("case", CHECKS)
def test_a_check_passes_success_on_and_raises_what_errno_says(library: Library, case: str) -> None:
    name, result, check, success = CHECKS[case]
    function = library.bind(name, T[result], [T["int"]], check=check)
    assert function(0) == success
    with pytest.raises(FileNotFoundError, match=rf"{name}\(\): No such file or directory") as caught:
        function(errno.ENOENT)
    assert isinstance(caught.value, ForeignOSError)
    assert caught.value.errno == errno.ENOENT
    assert function(0) == success


def test_null_is_refused_as_a_pointer_too(library: Library) -> None:
    function = library.bind("null_with", T["pointer"], [T["int"]], check=check_nonnull)
    assert isinstance(function(0), int)
    with pytest.raises(PermissionError):
        function(errno.EACCES)


@pytest.mark.parametrize(
    ("code", "builtin"),
    [
        (errno.ENOENT, FileNotFoundError),
        (errno.EACCES, PermissionError),
        (errno.EEXIST, FileExistsError),
        (errno.EINTR, InterruptedError),
        (errno.ETIMEDOUT, TimeoutError),
        (errno.EPIPE, BrokenPipeError),
        (errno.EINVAL, OSError),
        (99_999, OSError),
    ],
)
def test_an_errno_becomes_the_builtin_that_belongs_to_it(library: Library, code: int, builtin: type) -> None:
    function = library.bind("fail_with", T["int"], [T["int"]], check=check_nonnegative)
    with pytest.raises(builtin) as caught:
        function(code)
    assert isinstance(caught.value, (ForeignError, ForeignOSError))
    assert caught.value.errno == code
    assert type(os_error(code, "f")) is type(caught.value)


def test_failure_without_errno_says_so() -> None:
    assert "errno is 0" in str(os_error(0, "f"))


def test_errno_left_by_an_earlier_call_is_not_taken_for_this_ones(library: Library) -> None:
    unchecked = library.bind("fail_with", T["int"], [T["int"]])
    assert unchecked(errno.ENOENT) == -1
    checked = library.bind("only_errno", T["long"], [T["int"]], check=check_errno)
    assert checked(0) == 7


def test_a_users_check_sees_result_errno_and_name_and_its_answer_is_the_result(library: Library) -> None:
    seen = []

    def check(*arguments):
        seen.append(arguments)
        return "checked"

    function = library.bind("fail_with", T["int"], [T["int"]], check=check)
    assert function(0) == function(errno.EPIPE) == "checked"
    assert seen == [(0, 0, "fail_with"), (-1, errno.EPIPE, "fail_with")]


def test_a_check_sees_what_the_users_type_made_of_the_result(library: Library) -> None:
    negated = define_type("negated", T["int"], from_foreign=lambda value: -value, replace=True)

    def check(result, code, name):
        return (result, code)

    assert library.bind("fail_with", negated, [T["int"]], check=check)(errno.EPIPE) == (1, errno.EPIPE)


def test_a_guarded_check_is_only_called_when_its_guard_holds(library: Library) -> None:
    calls = []

    @guarded(Guard.NEGATIVE)
    def check(result, code, name):
        calls.append(result)
        return result

    function = library.bind("fail_with", T["int"], [T["int"]], check=check)
    function(0)
    assert calls == []
    function(1)
    assert calls == [-1]


def test_an_exception_of_the_check_reaches_the_caller(library: Library) -> None:
    def check(result, code, name):
        raise RuntimeError(f"{name} refused")

    with pytest.raises(RuntimeError, match="fail_with refused"):
        library.bind("fail_with", T["int"], [T["int"]], check=check)(0)
