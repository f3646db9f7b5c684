"""What a library exports, read from its file, and how that fits what a header declares."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from epsilon.foreign.ext.discovery import ir
from epsilon.foreign.ext.discovery.symbols import library_path, match_library, read_image

IMAGES = Path(__file__).resolve().parent / "images"
INT = ir.Scalar("int")
Build = Callable[..., Path]

linux = pytest.mark.skipif(sys.platform != "linux", reason="libraries are ELF files here")


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Compile C into a shared library with further options for the linker."""
    compiler = shutil.which("cc")

    def build(source: str, *options: str) -> Path:
        if compiler is None:
            pytest.skip("no C compiler (cc)")
        path = tmp_path / "libmade.so"
        (tmp_path / "made.c").write_text(source)
        command = [compiler, "-shared", "-fPIC", "-o", str(path), str(tmp_path / "made.c"), *options]
        subprocess.run(command, check=True, capture_output=True)
        return path

    return build


def binding(*declarations: ir.Declaration) -> ir.Binding:
    return ir.Binding(("made.h",), ir.Target.host(), ir.ParseOptions(), declarations)


@linux
def test_an_elf_library_tells_names_kinds_and_needs(build: Build) -> None:
    path = build(
        """
        int counter = 41; __thread int own; int flip(int x) { return -x; }
        __attribute__((weak)) int soft(int x) { return x; }
        __attribute__((visibility("hidden"))) int hidden(int x) { return x; }
        static int local(int x) { return x; } int used(void) { return local(1) + hidden(2); }
        """
    )
    image = read_image(path)
    kinds = {symbol.name: symbol.kind for symbol in image.symbols}
    assert (kinds["counter"], kinds["own"], kinds["flip"]) == ("variable", "thread-local", "function")
    assert not {"hidden", "local"} & image.names and image.format == "ELF"
    assert next(s for s in image.symbols if s.name == "soft").weak
    assert next(s for s in image.symbols if s.name == "counter").size == 4


@linux
def test_versions_tell_what_new_programs_get(build: Build, tmp_path: Path) -> None:
    (tmp_path / "map").write_text("V1 { global: old; f; local: *; }; V2 { global: f; } V1;")
    path = build(
        """
        __asm__(".symver f_1,f@V1"); __asm__(".symver f_2,f@@V2"); __asm__(".symver old_1,old@V1");
        int f_1(void) { return 1; } int f_2(void) { return 2; } int old_1(void) { return 0; }
        """,
        f"-Wl,--version-script={tmp_path / 'map'}",
    )
    image = read_image(path)
    assert {"f@V1", "f@@V2", "old@V1"} <= {str(symbol) for symbol in image.symbols}
    assert "f" in image.names and "old" not in image.names
    match = match_library(binding(ir.Function("f", INT), ir.Function("old", INT)), path)
    assert [d.name for d in match.old] == ["old"] and not match.missing and not match.ok


@linux
def test_a_library_without_section_headers_is_read_as_the_loader_reads_it(build: Build) -> None:
    strip = shutil.which("strip")
    path = build("int flip(int x) { return -x; }")
    if (
        strip is None
        or subprocess.run([strip, "--strip-section-headers", path], capture_output=True).returncode
    ):
        data = bytearray(path.read_bytes())
        data[0x28:0x30] = bytes(8)  # e_shoff
        data[0x3C:0x40] = bytes(4)  # e_shnum, e_shstrndx
        path.write_bytes(data)
    assert "flip" in read_image(path).names


@linux
def test_what_is_missing_old_elsewhere_confused_or_undeclared_is_told_apart(build: Build) -> None:
    path = build(
        """
        #include <stdlib.h>
        int flip(int x) { return abs(-x); } int extra; int wrong = 1; int named_otherwise(void) { return 0; }
        """,
        "-fno-builtin",
    )
    declared = (
        ir.Function("flip", INT),
        ir.Function("gone", INT),
        ir.Function("strlen", INT),  # in the C library, which this one needs
        ir.Function("wrong", INT),
        ir.Function("named", INT, symbol="named_otherwise"),
        ir.Function("inlined", INT, uncallable="static inline"),
        ir.Function("other_header", INT, dependency=True),
        ir.Variable("no_such_variable", INT),
    )
    match = match_library(binding(*declared), path)
    assert [d.name for d in match.missing] == ["gone", "no_such_variable"]
    assert [d.name for d in match.elsewhere] == ["strlen"]
    assert [(d.name, s.kind) for d, s in match.confused] == [("wrong", "variable")]
    assert [d.name for d in match.found] == ["flip", "wrong", "named"]
    assert [s.name for s in match.undeclared] == ["extra"] and not match.ok
    assert match_library(binding(declared[0]), path).ok


@pytest.mark.parametrize(
    ("name", "reader", "format"), [("libfix.dylib", "macholib", "Mach-O"), ("fix.dll", "pefile", "PE")]
)
def test_libraries_of_other_systems_are_read_without_being_loaded(
    name: str, reader: str, format: str, tmp_path: Path
) -> None:
    pytest.importorskip(reader, reason=f"{reader} is not installed (the extra 'binaries' has it)")
    path = tmp_path / name
    path.write_bytes(gzip.decompress((IMAGES / f"{name}.gz").read_bytes()))
    image = read_image(path)
    assert image.format == format
    kinds = [(symbol.name, symbol.kind) for symbol in image.symbols]
    assert kinds == [("counter", "variable"), ("flip", "function"), ("twice", "function")]
    match = match_library(binding(ir.Function("flip", INT), ir.Function("gone", INT)), path)
    assert [d.name for d in match.missing] == ["gone"]


def test_a_reader_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fix.dll"
    path.write_bytes(gzip.decompress((IMAGES / "fix.dll.gz").read_bytes()))
    monkeypatch.setitem(sys.modules, "pefile", None)
    with pytest.raises(ImportError, match=r"PE libraries needs pefile: pip install .*\[binaries\]"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"GROUP ( libc.so.6 )", "it is text"),
        (b"!<arch>\n", "static library"),
        (b"\x00\x01\x02\x03", "begins with 00 01 02 03"),
        (b"\x7fELF" + b"\xff" * 60, "is damaged"),
        (b"\x7fELF\x02\x01\x01", "is damaged"),
        (b"MZ" + b"\0" * 10, "is damaged"),
    ],
)
def test_a_file_that_is_no_library_says_what_it_is(content: bytes, says: str, tmp_path: Path) -> None:
    if content.startswith(b"MZ"):
        pytest.importorskip("pefile", reason="pefile is not installed (the extra 'binaries' has it)")
    path = tmp_path / "libwrong.so"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read_image(path)


@linux
def test_a_name_leads_to_the_file_that_the_loader_takes() -> None:
    path = library_path("c")
    assert Path(path).is_absolute() and "strlen" in read_image(path).names
    with pytest.raises(OSError, match="no-such-library"):
        library_path("no-such-library")
