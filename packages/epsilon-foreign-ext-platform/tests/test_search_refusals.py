"""Why a file is not the library that was looked for: each reason, in words that name what is missing."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from epsilon.foreign.api import Library, LibraryError
from epsilon.foreign.ext import platform

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the search is the one of Linux"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder, the first that is searched."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    return tmp_path


@pytest.fixture
def library(compile_library, folder: Path) -> bytes:
    """The bytes of a good library."""
    path = compile_library("int one(void) { return 1; }", "libgood.so", folder=folder)
    assert platform.find_library("good") == str(path)
    return path.read_bytes()


def reason(name: str) -> str:
    """Why the one file of that name was refused; the loader must refuse it too."""
    explanation = platform.explain_search(name)
    assert explanation.path is None
    (step,) = explanation.refused
    assert f"{step.path}: {step.reason}" in str(explanation)
    with pytest.raises(LibraryError):
        Library(step.path)
    return step.reason


def beside(folder: Path) -> tuple[str, ...]:
    """The linker's options for a library that is to find what it needs in its own folder."""
    return "-L", str(folder), "-Wl,-rpath,$ORIGIN"


def changed(data: bytes, at: int, layout: str, value: int) -> bytes:
    mutable = bytearray(data)
    struct.pack_into(layout, mutable, at, value)
    return bytes(mutable)


def test_another_architecture_is_named_with_this_one(library: bytes, folder: Path) -> None:
    (folder / "libforeign.so").write_bytes(changed(library, 18, "<H", 243))
    assert "wrong architecture: it is 64-bit RISC-V, this process is 64-bit" in reason("foreign")


def test_the_other_byte_order_is_another_architecture(folder: Path) -> None:
    header = (
        b"\x7fELF\x02\x02\x01"
        + b"\0" * 9
        + struct.pack(">HHIQQQIHHHHHH", 3, 22, 1, 0, 0, 0, 0, 64, 56, 0, 0, 0, 0)
    )
    (folder / "libmainframe.so").write_bytes(header)
    assert "64-bit S/390, big-endian" in reason("mainframe")


def test_32_bits_are_another_architecture(folder: Path) -> None:
    header = (
        b"\x7fELF\x01\x01\x01"
        + b"\0" * 9
        + struct.pack("<HHIIIIIHHHHHH", 3, 3, 1, 0, 0, 0, 0, 52, 32, 0, 0, 0, 0)
    )
    (folder / "libnarrow.so").write_bytes(header)
    assert "it is 32-bit x86" in reason("narrow")


def test_a_library_of_another_system_is_named(library: bytes, folder: Path) -> None:
    (folder / "libdaemon.so").write_bytes(changed(library, 7, "B", 9))
    assert reason("daemon") == "it is for FreeBSD, not for Linux"


@pytest.mark.parametrize("kept", [0.9, 0.3])
def test_a_truncated_file_is_called_truncated(library: bytes, folder: Path, kept: float) -> None:
    # The loader itself maps what is there and may crash on the rest, so it is not asked.
    (folder / "libcut.so").write_bytes(library[: int(len(library) * kept) // 2])
    explanation = platform.explain_search("cut")
    assert explanation.path is None and "truncated" in explanation.refused[0].reason


OTHERS = {
    "an empty file": (b"", "the file is empty"),
    "text": (b"#!/bin/sh\n", "it is a text file"),
    "an archive": (b"!<arch>\nx", "it is a static archive"),
    "Mach-O": (b"\xcf\xfa\xed\xfe\0\0\0\0", "it is a Mach-O file"),
    "a DLL": (b"MZ\x90\0", "it is a Windows program or DLL"),
    "rubbish": (b"\0\1\2\3", "it is no ELF file"),
    "a beginning": (b"\x7fELF\x02\x01", "it is no ELF file"),
    "an unknown class": (b"\x7fELF\x07\x01" + b"\0" * 60, "unknown class"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_elf_file_is_named(folder: Path, case: str) -> None:
    content, words = OTHERS[case]
    (folder / "libother.so").write_bytes(content)
    assert words in reason("other")


def test_a_folder_a_fifo_and_a_secret_are_no_libraries(folder: Path) -> None:
    (folder / "libfolder.so").mkdir()
    assert "directory" in reason("folder")
    os.mkfifo(folder / "libfifo.so")
    assert "a FIFO" in platform.explain_search("fifo").refused[0].reason
    (folder / "libsecret.so").write_bytes(b"\x7fELF")
    (folder / "libsecret.so").chmod(0)
    if os.geteuid():  # root reads everything
        assert "Permission denied" in reason("secret")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-r", "-nostdlib"), "it is an object file"),
        (("-no-pie", "-nostartfiles"), "it is an executable"),
        (("-pie", "-nostartfiles", "-Wl,-z,now"), "position-independent executable"),
    ],
    ids=["object", "executable", "PIE"],
)
def test_programs_and_objects_are_no_libraries(compile_library, folder: Path, options, words: str) -> None:
    import shutil
    import subprocess

    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler (cc, or CC in the environment)")
    source = folder / "program.c"
    source.write_text("int main(void) { return 0; } void _start(void) { }")
    subprocess.run([compiler, "-O1", "-fPIC", *options, "-o", folder / "libprogram.so", source], check=True)
    assert words in reason("program")


def test_a_missing_dependency_is_named(compile_library, folder: Path) -> None:
    compile_library("int one;", "libneeded-one.so", folder=folder)
    compile_library(
        "extern int one; int *two(void) { return &one; }",
        "libneedy.so",
        *beside(folder),
        "-lneeded-one",
        folder=folder,
    )
    assert platform.find_library("needy") == str(folder / "libneedy.so")
    (folder / "libneeded-one.so").unlink()
    assert reason("needy") == "it needs libneeded-one.so, which is not found"


def test_a_dependency_that_the_loader_cannot_know_of_is_named_with_the_reason(
    compile_library, folder: Path
) -> None:
    path = compile_library("int one;", "libset-late.so", folder=folder)
    compile_library(
        "extern int one; int *two(void) { return &one; }",
        "liblate.so",
        "-L",
        str(folder),
        "-lset-late",
        folder=folder,
    )
    told = reason("late")
    assert (
        told.startswith("it needs libset-late.so, which is not found")
        and f"LD_LIBRARY_PATH has {path}" in told
    )


def test_a_dependency_that_would_not_load_is_named_with_its_own_reason(compile_library, folder: Path) -> None:
    compile_library("int one;", "libbase-one.so", folder=folder)
    compile_library(
        "extern int one; int *two(void) { return &one; }",
        "libmiddle.so",
        *beside(folder),
        "-lbase-one",
        folder=folder,
    )
    compile_library(
        "extern int *two(void); int *three(void) { return two(); }",
        "libtop.so",
        *(*beside(folder), "-lmiddle", f"-Wl,-rpath-link,{folder}"),
        folder=folder,
    )
    (folder / "libbase-one.so").write_bytes(b"\x7fELF")
    told = reason("top")
    assert told.startswith(
        f"it needs libmiddle.so, and {folder}/libmiddle.so would not load: it needs libbase-one.so"
    )


def test_a_missing_version_of_a_symbol_is_named(compile_library, folder: Path) -> None:
    for version in ("OLD_1", "NEW_2"):
        (folder / version).write_text(f"{version} {{ global: one; local: *; }};")
    source = "int one(void) { return 1; }"
    compile_library(source, "libversioned.so", f"-Wl,--version-script={folder}/NEW_2", folder=folder)
    compile_library(
        "int one(void); int two(void) { return one(); }",
        "libuser.so",
        *beside(folder),
        "-lversioned",
        folder=folder,
    )
    assert platform.find_library("user") == str(folder / "libuser.so")
    compile_library(source, "libversioned.so", f"-Wl,--version-script={folder}/OLD_1", folder=folder)
    assert reason("user") == (
        f"it needs version NEW_2 of libversioned.so, which {folder}/libversioned.so does not have"
    )


def test_libraries_that_need_each_other_are_no_circle(compile_library, folder: Path) -> None:
    compile_library("int one;", "libleft.so", folder=folder)
    compile_library(
        "extern int one; int *right(void) { return &one; }",
        "libright.so",
        *beside(folder),
        "-lleft",
        folder=folder,
    )
    compile_library(
        "int one; int *right(void); int *left(void) { return right(); }",
        "libleft.so",
        *(*beside(folder), "-lright"),
        folder=folder,
    )
    assert platform.find_library("left") == str(folder / "libleft.so")
    assert Library(folder / "libleft.so")


def test_a_refused_file_does_not_end_the_search(library: bytes, folder: Path) -> None:
    (folder / "libchoice.so").write_text("text")
    (folder / "libchoice.so.3").write_bytes(changed(library, 18, "<H", 8))
    (folder / "libchoice.so.2").write_bytes(library)
    explanation = platform.explain_search("choice")
    assert explanation.path == str(folder / "libchoice.so.2")
    assert [os.path.basename(step.path) for step in explanation.refused] == ["libchoice.so", "libchoice.so.3"]
