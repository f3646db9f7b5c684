"""Libraries, symbols and memory, which all backends share."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import pytest
from backend_support.native import Library
from epsilon.foreign.backend import Backend


@pytest.mark.parametrize("name", ["/no/such/library.so", "libnosuchlibrary.so.77", "", "a\0b"])
def test_a_missing_library_is_an_os_error(backend: Backend, name: str) -> None:
    with pytest.raises(OSError):
        backend.dlopen(name)


def test_a_text_file_is_no_library(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "library.so"
    path.write_text("not a library\n" * 100)
    with pytest.raises(OSError, match=r"library\.so"):
        backend.dlopen(str(path))
    path.write_bytes(b"\x7fELF" + bytes(60))
    with pytest.raises(OSError):
        backend.dlopen(str(path))
    with pytest.raises(OSError):
        backend.dlopen(str(tmp_path))


def test_a_library_opens_and_closes(backend: Backend) -> None:
    handle = backend.dlopen(None)
    assert isinstance(handle, int)
    assert backend.dlsym(handle, "strlen") > 0
    backend.dlclose(handle)


def test_flags_are_passed_on(backend: Backend) -> None:
    if sys.platform == "win32":
        pytest.skip("RTLD flags are of POSIX systems")
    backend.dlclose(backend.dlopen(None, os.RTLD_LAZY | os.RTLD_GLOBAL))


@pytest.mark.parametrize("symbol", ["no_such_symbol", "", "a b", "nothing\0", "\xe9", "\udcff", "x" * 10_000])
def test_a_missing_symbol_is_a_lookup_error(backend: Backend, library: Library, symbol: str) -> None:
    with pytest.raises(LookupError):
        backend.dlsym(library.handle, symbol)


def test_a_symbol_whose_address_is_null_is_a_lookup_error(backend: Backend, library: Library) -> None:
    with pytest.raises(LookupError, match=r"null_symbol"):
        backend.dlsym(library.handle, "null_symbol")


def test_what_one_backend_opened_another_may_use(backend: Backend, library: Library) -> None:
    assert backend.dlsym(library.handle, "add") == library.address("add")


@pytest.mark.parametrize("size", [0, 1, 7, 8, 4096, 1_000_000])
@pytest.mark.parametrize("alignment", [1, 2, 8, 16, 64, 4096])
def test_memory_is_zeroed_and_aligned(backend: Backend, size: int, alignment: int) -> None:
    for _ in range(3):
        address = backend.alloc(size, alignment)
        try:
            assert address > 0
            assert address % alignment == 0
            assert ctypes.string_at(address, size) == bytes(size)
            ctypes.memset(address, 0xFF, size)
        finally:
            backend.free(address)


def test_empty_allocations_have_addresses_of_their_own(backend: Backend) -> None:
    addresses = [backend.alloc(0) for _ in range(10)]
    assert len(set(addresses)) == 10
    for address in addresses:
        backend.free(address)


@pytest.mark.parametrize(("size", "alignment"), [(-1, 8), (8, 0), (8, 3), (8, -8), (8, 24)])
def test_sizes_and_alignments_that_cannot_be_are_value_errors(
    backend: Backend, size: int, alignment: int
) -> None:
    with pytest.raises(ValueError, match=str(alignment) if size > 0 else str(size)):
        backend.alloc(size, alignment)


@pytest.mark.parametrize("size", [2**62, sys.maxsize, 2**64, 2**100])
def test_too_much_memory_is_a_memory_error(backend: Backend, size: int) -> None:
    with pytest.raises(MemoryError, match=str(size)):
        backend.alloc(size)


@pytest.mark.parametrize("size", [1.5, "8", None])
def test_a_size_is_an_integer(backend: Backend, size: object) -> None:
    with pytest.raises(TypeError):
        backend.alloc(size)  # type: ignore[arg-type]


def test_freeing_null_does_nothing(backend: Backend) -> None:
    backend.free(0)
