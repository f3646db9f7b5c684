"""Reading ELF files: what pyelftools reads, and an error of our own for whatever is broken."""

from __future__ import annotations

import glob
import random
import struct
import sys
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection
from epsilon.foreign.api import Library, LibraryError
from epsilon.foreign.ext.platform import ElfError, exported_symbols
from epsilon.foreign.ext.platform.elf.dynamic import Dynamic
from epsilon.foreign.ext.platform.elf.file import PT_NOTE, Elf
from epsilon.foreign.ext.platform.elf.notes import build_id
from epsilon.foreign.ext.platform.elf.symbols import exported
from epsilon.foreign.ext.platform.elf.versions import defined_versions, needed_versions
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="libraries are ELF files on Linux"),
]
SOURCE = """
int counter = 41;
const char banner[] = "hello";
static int hidden_state;
__thread int per_thread;
int add(int a, int b) { return a + b + hidden_state; }
__attribute__((weak)) int weak_one(void) { return 1; }
__attribute__((visibility("hidden"))) int hidden(void) { return 2; }
__attribute__((weak)) int undefined_elsewhere(void);
int user(void) { return undefined_elsewhere(); }
"""


@pytest.fixture(scope="module")
def library(compile_library) -> Path:
    return compile_library(SOURCE, "libexporting.so")


def of_this_machine(count: int = 20) -> list[str]:
    """Some libraries of this machine, always the same."""
    folders = ("/lib/*-linux-gnu", "/usr/lib/*-linux-gnu", "/usr/lib64", "/lib64")
    found = sorted({path for folder in folders for path in glob.glob(f"{folder}/*.so.*")})
    return random.Random(7).sample(found, min(count, len(found)))


def test_the_kind_and_binding_of_every_export_is_told(library: Path) -> None:
    found = {symbol.name: symbol for symbol in exported_symbols(library)}
    assert {name: symbol.kind for name, symbol in found.items() if name[0] != "_"} == {
        "counter": "data",
        "banner": "data",
        "per_thread": "thread-local",
        "add": "function",
        "weak_one": "function",
        "user": "function",
    }
    assert (found["weak_one"].binding, found["add"].binding) == ("weak", "global")
    assert (found["banner"].size, found["counter"].size) == (6, 4)
    assert found["add"].version is None and found["add"].default and str(found["add"]) == "add"


def test_an_address_counts_from_where_the_library_is_loaded(library: Path) -> None:
    from epsilon.foreign.ext.platform import loaded_libraries

    opened = Library(library)
    (loaded,) = [each for each in loaded_libraries() if each.path == str(library)]
    for symbol in exported_symbols(opened):
        if symbol.kind in ("function", "data"):
            assert opened.symbol(symbol.name) == loaded.bias + symbol.address


def test_versions_are_told_with_which_is_the_default() -> None:
    memcpy = {str(symbol) for symbol in exported_symbols("c") if symbol.name == "memcpy"}
    if len(memcpy) < 2:
        pytest.skip("this C library has one memcpy")
    assert memcpy == {"memcpy@GLIBC_2.2.5", "memcpy@@GLIBC_2.14"}


def test_a_library_without_section_headers_is_read_by_its_segments(library: Path, tmp_path: Path) -> None:
    data = bytearray(library.read_bytes())
    struct.pack_into("<Q", data, 40, 0)  # e_shoff
    struct.pack_into("<HH", data, 60, 0, 0)
    stripped = tmp_path / "libstripped.so"
    stripped.write_bytes(data)
    assert exported_symbols(stripped) == exported_symbols(library)


@pytest.mark.parametrize("style", ["gnu", "sysv", "both"])
def test_every_style_of_hash_table_tells_how_many_symbols_there_are(compile_library, style: str) -> None:
    path = compile_library(SOURCE, f"libhash-{style}.so", f"-Wl,--hash-style={style}")
    assert {"add", "counter"} <= {symbol.name for symbol in exported_symbols(path)}


def test_a_library_that_exports_nothing_gives_nothing(compile_library) -> None:
    path = compile_library("static int x;", "libempty.so", "-nostdlib")
    assert [symbol for symbol in exported_symbols(path) if symbol.name[0] != "_"] == []


@pytest.mark.parametrize("path", of_this_machine(), ids=lambda path: Path(path).name)
def test_pyelftools_reads_the_same(path: str) -> None:
    with open(path, "rb") as file, Elf.open(path) as elf:
        theirs = ELFFile(file)
        section = theirs.get_section_by_name(".dynamic")
        assert isinstance(section, DynamicSection)
        dynamic = Dynamic(elf)
        tags = [(tag.entry.d_tag, tag) for tag in section.iter_tags()]
        assert dynamic.needed == [tag.needed for name, tag in tags if name == "DT_NEEDED"]
        assert dynamic.soname == next((tag.soname for name, tag in tags if name == "DT_SONAME"), None)
        assert dynamic.runpath == next((tag.runpath for name, tag in tags if name == "DT_RUNPATH"), None)
        ours = {(symbol.name, symbol.address, symbol.size) for symbol in exported(dynamic)}
        assert ours == set(_symbols(theirs))
        assert set(defined_versions(dynamic).values()) == set(_defined(theirs))
        assert {(each.library, each.version) for each in needed_versions(dynamic)} == set(_needed(theirs))
        ids = [build_id(elf.contents(s), elf.order, s.alignment) for s in elf.segments if s.type == PT_NOTE]
        assert next((found for found in ids if found), None) == _build_id(theirs)


def _symbols(elf: ELFFile):
    versions = set(_defined(elf))
    for symbol in elf.get_section_by_name(".dynsym").iter_symbols():
        kind, binding = symbol["st_info"]["type"], symbol["st_info"]["bind"]
        shared = symbol["st_other"]["visibility"] in ("STV_DEFAULT", "STV_PROTECTED")
        known = kind in ("STT_NOTYPE", "STT_OBJECT", "STT_FUNC", "STT_TLS", "STT_COMMON", "STT_LOOS")
        absolute = symbol["st_shndx"] == "SHN_ABS" and symbol.name in versions
        if symbol["st_shndx"] != "SHN_UNDEF" and binding != "STB_LOCAL" and shared and known and not absolute:
            yield symbol.name, symbol["st_value"], symbol["st_size"]


def _defined(elf: ELFFile):
    section = elf.get_section_by_name(".gnu.version_d")
    for definition, names in section.iter_versions() if section else ():
        if not definition["vd_flags"] & 1:
            yield next(names).name


def _needed(elf: ELFFile):
    section = elf.get_section_by_name(".gnu.version_r")
    for library, versions in section.iter_versions() if section else ():
        yield from ((library.name, version.name) for version in versions)


def _build_id(elf: ELFFile):
    for section in elf.iter_sections():
        for note in section.iter_notes() if isinstance(section, NoteSection) else ():
            if note["n_type"] == "NT_GNU_BUILD_ID":
                return note["n_desc"]
    return None


def read_everything(data: bytes) -> None:
    """Everything that is read of ELF files anywhere in this package."""
    elf = Elf.from_bytes(data)
    elf.check_complete()
    str(elf.architecture)
    _ = elf.interpreter
    for segment in elf.segments:
        if segment.type == PT_NOTE:
            build_id(elf.contents(segment), elf.order, segment.alignment)
    dynamic = Dynamic(elf)
    _ = dynamic.needed, dynamic.soname, dynamic.rpath, dynamic.runpath, dynamic.flags_1
    defined_versions(dynamic)
    needed_versions(dynamic)
    exported(dynamic)


@pytest.fixture(scope="module")
def small(compile_library) -> bytes:
    return compile_library(
        "int one(void) { return 1; }", "libsmall.so", "-Wl,-z,noseparate-code", "-s"
    ).read_bytes()


def test_the_whole_file_is_read_without_an_error(small: bytes) -> None:
    read_everything(small)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_file_with_changed_bytes_is_read_or_is_an_elf_error(small: bytes, data: st.DataObject) -> None:
    mutable = bytearray(small)
    interesting = st.one_of(st.integers(0, 0x400), st.integers(0, len(small) - 1))
    for _ in range(data.draw(st.integers(1, 8))):
        mutable[data.draw(interesting)] = data.draw(st.integers(0, 255))
    try:
        read_everything(bytes(mutable))
    except ElfError as error:
        assert str(error).startswith("data ")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_words_of_the_dynamic_section_may_be_anything(small: bytes, data: st.DataObject) -> None:
    elf = Elf.from_bytes(small)
    segment = elf.first(2)
    assert segment is not None
    mutable = bytearray(small)
    for _ in range(data.draw(st.integers(1, 4))):
        at = segment.offset + 8 * data.draw(st.integers(0, segment.file_size // 8 - 1))
        struct.pack_into(
            "<Q", mutable, at, data.draw(st.one_of(st.integers(0, 64), st.integers(0, 2**64 - 1)))
        )
    try:
        read_everything(bytes(mutable))
    except ElfError as error:
        assert str(error).startswith("data ")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_file_that_is_cut_off_is_an_elf_error(small: bytes, data: st.DataObject) -> None:
    with pytest.raises(ElfError):
        read_everything(small[: data.draw(st.integers(0, len(small) // 2))])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_an_elf_error(data: bytes) -> None:
    with pytest.raises(ElfError):
        read_everything(data)
    with pytest.raises(ElfError):
        read_everything(b"\x7fELF\x02\x01" + data)


def test_a_name_that_is_found_nowhere_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"no-such-library: not found[\s\S]*ld\.so\.cache"):
        exported_symbols("no-such-library")
    with pytest.raises(FileNotFoundError):
        exported_symbols(tmp_path / "none.so")
    with pytest.raises(ElfError, match="a directory"):
        exported_symbols(tmp_path)
