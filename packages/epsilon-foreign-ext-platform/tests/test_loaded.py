"""What is loaded: libraries with segments and build ids, symbols at addresses, versions of symbols."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from pathlib import Path

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform
from epsilon.foreign.ext.platform.loaded import linkmap, peek
from epsilon.foreign.ext.platform.loaded.peek import OwnMemory, UnreadableError

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is loaded is shown on Linux"),
]
SOURCE = """
int counter = 41;
int add(int a, int b) { return a + b; }
static int secret(int x) { return x * 3; }
int (*get_secret(void))(int) { return secret; }
"""


@pytest.fixture(scope="module")
def path(compile_library) -> Path:
    return compile_library(SOURCE, "liblisted.so", "-Wl,--build-id=0x0123456789abcdef")


def listed(path: Path) -> list[platform.LoadedLibrary]:
    return [library for library in platform.loaded_libraries() if library.path == str(path)]


def test_the_program_comes_first_and_everything_that_is_mapped_is_there() -> None:
    libraries = platform.loaded_libraries()
    assert libraries[0].path == os.path.realpath("/proc/self/exe") and libraries[0].name == ""
    mapped = {
        line.split(maxsplit=5)[5].strip()
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.split()[1].startswith("r-x") and len(line.split()) > 5 and ".so" in line.split(maxsplit=5)[5]
    }
    assert mapped <= {os.path.realpath(library.path) for library in libraries if library.path}


def test_segments_are_where_the_kernel_has_them() -> None:
    executable = [
        tuple(int(part, 16) for part in line.split()[0].split("-"))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.split()[1].startswith("r-x")
    ]
    for library in platform.loaded_libraries():
        assert library.segments and library.address == min(each.address for each in library.segments)
        for segment in library.segments:
            if segment.permissions == "r-x":
                assert any(low <= segment.address < high for low, high in executable)


def test_a_library_is_there_while_it_is_open(path: Path) -> None:
    assert not listed(path)
    with ffi.Library(path) as library:
        (found,) = listed(path)
        assert found.build_id == "0123456789abcdef"
        assert found.holds(library.symbol("add")) and not found.holds(0)
        kinds = {
            name: [s.permissions for s in found.segments if library.symbol(name) in s]
            for name in ("add", "counter")
        }
        assert kinds == {"add": ["r-x"], "counter": ["rw-"]}
    assert not listed(path)


def test_listing_and_loading_at_once_neither_hang_nor_crash(path: Path) -> None:
    """Reading the list in a callback under the loader's lock comes to a standstill here, sooner or later."""
    program = """
import ctypes, sys, threading, _ctypes
from epsilon.foreign.ext import platform
done = threading.Event()
def load():
    while not done.is_set():
        _ctypes.dlclose(_ctypes.dlopen(sys.argv[1], 2))
def ask():
    address = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value
    while not done.is_set():
        assert platform.symbol_at(address).name
threads = [threading.Thread(target=target) for target in (load, load, ask)]
for thread in threads:
    thread.start()
sys.setswitchinterval(1e-5)
for _ in range(100):
    names = [library.path for library in platform.loaded_libraries()]
    assert len(names) > 3
done.set()
for thread in threads:
    thread.join()
print("ended")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_a_list_that_leads_astray_is_read_again_and_given_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkmap, "PAUSE", 0)
    calls = []

    def read_as(outcome):
        def read(memory: OwnMemory, address: int, found: list[linkmap.LinkMap]) -> bool | None:
            calls.append(address)
            if outcome == "unreadable" and len(calls) < 3:
                raise UnreadableError
            return {"unreadable": True, "unsettled": False, "senseless": None}[outcome]

        calls.clear()
        monkeypatch.setattr(linkmap, "_read", read)

    with OwnMemory() as memory:
        read_as("unreadable")
        assert linkmap.link_maps(memory) == [] and len(calls) == 3
        read_as("unsettled")
        assert linkmap.link_maps(memory) == [] and len(calls) == linkmap.PATIENCE + 1
        read_as("senseless")
        with pytest.raises(platform.PlatformError, match="being changed"):
            linkmap.link_maps(memory)


@pytest.fixture(params=["/proc/self/mem", "process_vm_readv"])
def memory(request, monkeypatch: pytest.MonkeyPatch):
    """Each of the two ways to read memory that may not be there."""
    if request.param != "/proc/self/mem":

        def refused(*_: object) -> int:
            raise PermissionError

        monkeypatch.setattr(peek.os, "open", refused)
    with OwnMemory() as made:
        monkeypatch.undo()
        try:
            made.read(id(made), 8)
        except UnreadableError:
            pytest.skip(f"{request.param} is not allowed here")
        yield made


def test_memory_that_is_not_there_is_an_error_and_no_crash(memory: OwnMemory) -> None:
    data = ctypes.create_string_buffer(b"text\0after")
    assert memory.read(ctypes.addressof(data), 10) == b"text\0after"
    assert memory.string(ctypes.addressof(data)) == "text"
    for address in (0, 8, 1 << 62, (1 << 64) - 8):
        with pytest.raises(UnreadableError):
            memory.read(address, 8)
        with pytest.raises(UnreadableError):
            memory.string(address)


def test_a_symbol_is_found_at_its_address_and_a_little_after(path: Path) -> None:
    with ffi.Library(path) as library:
        address = library.symbol("add")
        found = platform.symbol_at(address)
        assert (found.name, found.offset, found.kind, found.library) == ("add", 0, "function", str(path))
        assert str(found) == f"add in {path}"
        inside = platform.symbol_at(address + 1)
        assert (inside.name, inside.offset, inside.symbol) == ("add", 1, address)
        assert str(inside) == f"add+0x1 in {path}"
        data = platform.symbol_at(library.symbol("counter"))
        assert (data.name, data.kind, data.size) == ("counter", "data", 4)
        assert found.base == listed(path)[0].address


def test_whatever_has_an_address_can_be_asked_about(path: Path) -> None:
    with ffi.Library(path) as library:
        add = library.bind("add", c.int, [c.int, c.int])
        for thing in (add, library.variable("counter", c.int), library.symbol("add")):
            assert platform.symbol_at(thing).name in ("add", "counter")
    with ffi.callback(lambda: None, ffi.Callback[[], None]) as callback:
        assert platform.symbol_at(callback) is None  # generated code belongs to no library
    with pytest.raises(ffi.ArgumentTypeError, match="something that has one"):
        platform.symbol_at("add")


def test_an_address_between_symbols_has_a_library_and_no_name(path: Path) -> None:
    with ffi.Library(path) as library:
        secret = library.bind("get_secret", c.pointer, [])()
        found = platform.symbol_at(secret)
        assert found.library == str(path) and found.name is None
        assert str(found) == f"{path}+{secret - found.base:#x}"


def test_memory_of_no_library_has_no_symbol() -> None:
    buffer = ctypes.create_string_buffer(16)
    for address in (0, -1, 8, 1 << 70, ctypes.addressof(buffer)):
        assert platform.symbol_at(address) is None


def test_functions_that_were_chosen_for_the_processor_have_the_name_they_are_asked_for_by() -> None:
    libc = ffi.Library("libc.so.6")
    indirect = {each.name for each in platform.exported_symbols(libc) if each.indirect and each.default}
    for name in sorted(indirect & {"memcpy", "strlen", "strchr", "memset"}):
        found = platform.symbol_at(libc.symbol(name))
        assert libc.symbol(found.name) == libc.symbol(name) and found.kind == "function"
    assert platform.symbol_at(libc.symbol("strlen")).name == "strlen"


VERSIONED = """
int old_answer(void) { return 1; }
int new_answer(void) { return 2; }
__asm__(".symver old_answer, answer@OLD_1");
__asm__(".symver new_answer, answer@@NEW_2");
"""


@pytest.fixture(scope="module")
def versioned(compile_library, tmp_path_factory) -> ffi.Library:
    script = tmp_path_factory.mktemp("versions") / "script"
    script.write_text("OLD_1 { local: old_answer; new_answer; }; NEW_2 { } OLD_1;")
    return ffi.Library(compile_library(VERSIONED, "libanswers.so", f"-Wl,--version-script={script}"))


def test_each_version_of_a_symbol_can_be_had(versioned: ffi.Library) -> None:
    answers = {
        version: ffi.shared_call(platform.versioned_symbol(versioned, "answer", version), c.int, [])
        for version in ("OLD_1", "NEW_2")
    }
    assert answers == {"OLD_1": 1, "NEW_2": 2}
    assert versioned.bind("answer", c.int)() == 2  # the default one
    assert {str(symbol) for symbol in platform.exported_symbols(versioned)} == {
        "answer@OLD_1",
        "answer@@NEW_2",
    }


def test_a_version_that_is_not_there_is_a_missing_symbol_that_names_those_that_are(
    versioned: ffi.Library,
) -> None:
    with pytest.raises(ffi.SymbolNotFoundError, match=r"answer@NO_3.*the versions there are: NEW_2, OLD_1"):
        platform.versioned_symbol(versioned, "answer", "NO_3")
    with pytest.raises(ffi.SymbolNotFoundError):
        platform.versioned_symbol(versioned, "question", "OLD_1")
    with pytest.raises(ffi.ArgumentTypeError, match="version"):
        platform.versioned_symbol(versioned, "answer", None)


def test_a_library_that_is_open_in_another_process_is_not_looked_into() -> None:
    try:
        isolated = platform.isolated()
    except ffi.BackendUnavailableError as error:
        pytest.skip(str(error))
    with isolated as backend, ffi.use_backend(backend):
        libc = ffi.Library("libc.so.6")
        assert libc.remote is not None
        with pytest.raises(platform.UnsupportedPlatformError, match="another one"):
            platform.versioned_symbol(libc, "memcpy", "GLIBC_2.14")
        with pytest.raises(platform.UnsupportedPlatformError, match="another process"):
            platform.symbol_at(libc.bind("abs", c.int, [c.int]))
        failing = libc.bind("rmdir", c.int, [c.string], check=platform.keep_error)
        assert failing("/no/such/folder") == -1 and platform.last_error().name == "ENOENT"


def test_a_closed_library_has_no_versions(compile_library) -> None:
    library = ffi.Library(compile_library("int one;", "libclosed-one.so"))
    library.close()
    with pytest.raises(ffi.ClosedLibraryError):
        platform.versioned_symbol(library, "one", "ONE_1")


def test_listing_from_many_threads_gives_all_the_same(path: Path) -> None:
    found: list[list[platform.LoadedLibrary]] = []
    with ffi.Library(path):
        threads = [
            threading.Thread(target=lambda: found.append(platform.loaded_libraries())) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8 and all(each == found[0] for each in found)
