"""Calls with no declaration, and what is kept of them."""

from __future__ import annotations

import contextvars
import threading

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c, call


@pytest.fixture(autouse=True)
def empty_cache():
    call._bound.clear()


def test_a_function_is_a_symbol_of_the_process_a_library_s_or_an_address(libc: ffi.Library) -> None:
    assert ffi.shared_call("abs", c.int, [c.int], -7) == 7
    assert ffi.shared_call(("cos", "m"), c.double, [c.double], 0.0) == 1.0
    assert ffi.shared_call(("abs", libc), c.int, (c.int,), -7) == 7
    assert ffi.shared_call(libc.symbol("abs"), c.int, [c.int], -7) == 7


def test_a_function_is_bound_once_per_types_and_backend(backend: str) -> None:
    for _ in range(3):
        assert ffi.shared_call("abs", c.int, [c.int], -7) == 7
    assert len(call._bound) == 1
    assert ffi.shared_call("labs", c.long, [c.long], -7) == 7
    with ffi.use_backend("ctypes"):
        ffi.shared_call("abs", c.int, [c.int], -7)
    assert len(call._bound) == (2 if backend == "ctypes" else 3)


def test_the_cache_is_bounded(libc: ffi.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "CACHE", 3)
    for name in ("abs", "labs", "toupper", "tolower", "isalpha"):
        ffi.shared_call(name, c.int, [c.int], 65)
        assert len(call._bound) <= 3


def test_a_library_that_was_closed_is_opened_again(backend: str) -> None:
    from epsilon.foreign.runtime import shared_library

    assert ffi.shared_call(("cos", "m"), c.double, [c.double], 0.0) == 1.0
    shared_library("m").close()
    assert ffi.shared_call(("cos", "m"), c.double, [c.double], 0.0) == 1.0


def test_a_closed_library_object_raises_and_is_forgotten(backend: str) -> None:
    library = ffi.Library("m")
    assert ffi.shared_call(("cos", library), c.double, [c.double], 0.0) == 1.0
    library.close()
    with pytest.raises(ffi.ClosedLibraryError):
        ffi.shared_call(("cos", library), c.double, [c.double], 0.0)
    assert not call._bound


@pytest.mark.parametrize("designator", [None, 1.5, True, ["abs", None], ("abs",), ("abs", None, 1), b"abs"])
def test_what_is_no_function_is_refused(backend: str, designator: object) -> None:
    with pytest.raises(ffi.ArgumentTypeError, match="symbol's name"):
        ffi.shared_call(designator, c.int, [c.int], -7)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", [0, -1, 2**64])
def test_an_address_that_is_none_is_refused(backend: str, address: int) -> None:
    with pytest.raises(ffi.ArgumentRangeError, match="cannot be the address of a function"):
        ffi.shared_call(address, c.int, [c.int], -7)


def test_errors_are_those_of_bind_and_of_the_call(backend: str) -> None:
    with pytest.raises(AttributeError, match="no_such_function"):
        ffi.shared_call("no_such_function", c.int, [])
    with pytest.raises(OSError, match="no-such-library"):
        ffi.shared_call(("cos", "no-such-library"), c.double, [c.double], 0.0)
    with pytest.raises(ffi.DeclarationError, match=r"c\.int"):
        ffi.shared_call("abs", int, [c.int], -7)
    with pytest.raises(ffi.DeclarationError, match=r"\[c\.int\] is not a C type"):
        ffi.shared_call("abs", c.int, [[c.int]], -7)
    with pytest.raises(TypeError, match=r"abs\(\) argument 1: expected an integer for int, got str"):
        ffi.shared_call("abs", c.int, [c.int], "-7")
    with pytest.raises(TypeError, match=r"abs\(\) takes 1 argument, got 2"):
        ffi.shared_call("abs", c.int, [c.int], 1, 2)


def test_several_threads_share_the_cache(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "CACHE", 2)
    errors: list[BaseException] = []
    barrier = threading.Barrier(6)

    def work() -> None:
        try:
            barrier.wait()
            for i in range(200):
                assert ffi.shared_call(("abs", "labs", "llabs")[i % 3], c.longlong, [c.int], 7) == 7
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
