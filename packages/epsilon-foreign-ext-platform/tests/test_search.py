"""Finding libraries: in the loader's places, in the loader's order, with the loader's answer."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import epsilon.foreign.api as ffi
import pytest
from epsilon.foreign.api import c
from epsilon.foreign.ext import platform

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the search is the one of Linux"),
]
OPENER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
const char *open_it(const char *name)
{
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    struct link_map *map;
    if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map)) return 0;
    return map->l_name;
}
"""


def searched(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join(map(str, folders)))


def test_libraries_of_the_system_are_found_by_every_kind_of_name() -> None:
    path = platform.find_library("m")
    assert path is not None and os.path.isfile(path)
    for name in ("libm.so.6", b"m", Path(path), path):
        assert platform.find_library(name) == path
    assert ffi.Library(path).bind("cos", c.double, [c.double])(0.0) == 1.0


@pytest.mark.parametrize(
    "name", ["no-such-library", "libno-such-library.so.1", "/no/such/path.so", "", "a\0b"]
)
def test_what_is_not_there_is_none(name: str) -> None:
    assert platform.find_library(name) is None
    assert "not found" in str(platform.explain_search(name))


@pytest.mark.parametrize("name", [None, 7, ["m"]])
def test_what_is_no_name_is_an_argument_error(name) -> None:
    with pytest.raises(ffi.ArgumentTypeError, match="library's name"):
        platform.find_library(name)


def test_the_environment_counts_as_it_is_now(compile_library, tmp_path, monkeypatch) -> None:
    path = compile_library("int one(void) { return 1; }", "libfoundnow.so.3", folder=tmp_path)
    assert platform.find_library("foundnow") is None
    searched(monkeypatch, Path("/nonexistent"), tmp_path)
    assert platform.find_library("foundnow") == str(path)
    assert platform.find_library("libfoundnow.so.3") == str(path)
    assert platform.find_library("libfoundnow.so.4") is None
    explanation = platform.explain_search("foundnow")
    assert explanation.path == str(path) and explanation.steps[-1].place == "LD_LIBRARY_PATH"
    assert explanation.steps[-1].accepted and "/nonexistent: No such file" in str(explanation)


def test_an_earlier_folder_goes_before_a_better_name(compile_library, tmp_path, monkeypatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    compile_library("int one;", "libordered.so", folder=second)
    versioned = compile_library("int one;", "libordered.so.2", folder=first)
    searched(monkeypatch, first, second)
    assert platform.find_library("ordered") == str(versioned)


def test_a_library_that_is_loaded_already_goes_before_others(compile_library, tmp_path, monkeypatch) -> None:
    loaded, other = tmp_path / "loaded", tmp_path / "other"
    loaded.mkdir()
    other.mkdir()
    path = compile_library("int one;", "libtwice-there.so", folder=loaded)
    compile_library("int one;", "libtwice-there.so", folder=other)
    searched(monkeypatch, other)
    assert platform.find_library("twice-there") == str(other / "libtwice-there.so")
    kept = ctypes.CDLL(str(path))
    assert platform.find_library("twice-there") == str(path)
    assert platform.explain_search("twice-there").steps[-1].place == "loaded already"
    del kept


@pytest.fixture(params=["--enable-new-dtags", "--disable-new-dtags"], ids=["RUNPATH", "RPATH"])
def caller(request, compile_library, tmp_path) -> Path:
    """A library whose own path leads to ``private``, and that opens others in its own name."""
    options = (f"-Wl,{request.param}", "-Wl,-rpath,$ORIGIN/private", "-ldl")
    return compile_library(OPENER, "libcaller.so", *options, folder=tmp_path)


def test_the_path_of_the_caller_counts_and_the_loader_agrees(
    caller: Path, compile_library, tmp_path, request
) -> None:
    private = tmp_path / "private"
    private.mkdir()
    name = f"private-{request.node.callspec.id}"  # a library that was found once is loaded already
    path = compile_library("int one;", f"lib{name}.so.1", folder=private)
    assert platform.find_library(name) is None
    explanation = platform.explain_search(name, caller=caller)
    assert explanation.path == str(path)
    assert str(caller) in explanation.steps[-1].place and "$" not in explanation.steps[-1].where
    opened = ffi.Library(caller).bind("open_it", c.string, [c.string])(f"lib{name}.so.1")
    assert os.path.samefile(opened, path)


def test_runpath_yields_to_the_environment_and_rpath_does_not(
    caller: Path, compile_library, tmp_path, monkeypatch
) -> None:
    private, other = tmp_path / "private", tmp_path / "other"
    private.mkdir()
    other.mkdir()
    paths = [compile_library("int one;", "libcontested.so", folder=folder) for folder in (private, other)]
    program = (
        "import sys, epsilon.foreign.api as ffi; from epsilon.foreign.ext import platform;"
        "from epsilon.foreign.api import c;"
        "print(platform.find_library('libcontested.so', caller=sys.argv[1]));"
        "print(ffi.Library(sys.argv[1]).bind('open_it', c.string, [c.string])('libcontested.so'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(caller)],
        env={**os.environ, "LD_LIBRARY_PATH": str(other)},
        capture_output=True,
        text=True,
        check=True,
    )
    ours, loaders = done.stdout.split()
    assert os.path.samefile(ours, loaders)
    runpath = "RUNPATH" in str(platform.explain_search("x", caller=caller))
    assert os.path.samefile(ours, paths[runpath])


def test_a_caller_that_cannot_be_read_is_an_error(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        platform.find_library("m", caller=tmp_path / "none.so")
    (tmp_path / "text.so").write_text("text")
    with pytest.raises(platform.ElfError, match="no ELF file"):
        platform.find_library("m", caller=tmp_path / "text.so")


def test_a_linker_script_leads_to_the_library_it_stands_for(compile_library, tmp_path, monkeypatch) -> None:
    path = compile_library("int one;", "libreal-one.so.5", folder=tmp_path)
    (tmp_path / "libscripted.so").write_text(f"/* GNU ld script */\nGROUP ( {path} )\n")
    searched(monkeypatch, tmp_path)
    explanation = platform.explain_search("scripted")
    assert explanation.path == str(path)
    assert f"linker script for {path}" in explanation.refused[0].reason


def test_hwcaps_folders_go_before_the_plain_one(compile_library, tmp_path, monkeypatch) -> None:
    from epsilon.foreign.ext.platform.search import hwcaps

    monkeypatch.setattr(hwcaps, "supported", lambda: ("x86-64-v3", "x86-64-v2"))
    special = tmp_path / "glibc-hwcaps" / "x86-64-v2"
    special.mkdir(parents=True)
    compile_library("int one;", "libspecial.so", folder=tmp_path)
    better = compile_library("int one;", "libspecial.so", folder=special)
    searched(monkeypatch, tmp_path)
    assert platform.find_library("special") == str(better)


def test_a_link_that_leads_nowhere_or_in_a_circle_is_not_followed_for_ever(tmp_path, monkeypatch) -> None:
    (tmp_path / "libcircle.so").symlink_to("libcircle.so")
    (tmp_path / "libnowhere.so").symlink_to("/no/such/file")
    searched(monkeypatch, tmp_path)
    for name in ("circle", "nowhere"):
        assert platform.find_library(name) is None
        assert platform.explain_search(name).refused


def test_the_search_starts_no_process() -> None:
    program = """
import sys
STARTS = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "os.spawn")
def watch(event, args):
    if event.partition(".")[0] == "subprocess" or event in STARTS:
        print("started:", event, args)
sys.addaudithook(watch)
from epsilon.foreign.ext import platform
for name in ("m", "c", "z", "ssl", "libm.so.6", "no-such-library", "/no/such/path.so"):
    platform.find_library(name)
    str(platform.explain_search(name))
print("searched")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "searched\n"


def test_another_system_is_refused_with_what_serves_there(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(platform.UnsupportedPlatformError, match="Linux only"):
        platform.find_library("m")


def test_library_asks_the_search_before_it_gives_up(compile_library, tmp_path) -> None:
    """By the entry point of the installed distribution, for a library that only a running copy leads to."""
    path = compile_library("int one(void) { return 1; }", "libonly-loaded.so", folder=tmp_path)
    with pytest.raises(ffi.LibraryError):
        ffi.Library("only-loaded")
    kept = ctypes.CDLL(str(path))
    assert ffi.Library("only-loaded").path == str(path)
    del kept


def test_an_installed_finder_is_asked_first_until_it_is_uninstalled(
    compile_library, tmp_path, monkeypatch
) -> None:
    path = compile_library("int one(void) { return 1; }", "libasked-first.so", folder=tmp_path)
    searched(monkeypatch, tmp_path)
    asked = []
    from epsilon.foreign.ext.platform.search import finder

    monkeypatch.setattr(finder, "find_library", lambda name: asked.append(name) or str(path))
    platform.install_finder()
    platform.install_finder()
    try:
        assert ffi.Library("whatever").path == str(path)
    finally:
        platform.uninstall_finder()
        platform.uninstall_finder()
    assert asked == ["whatever"]
    assert ffi.Library("m").path != str(path)
