"""Finding libraries by path, file name and short name, without a subprocess."""

from __future__ import annotations

import subprocess
import sys

import pytest
from epsilon.foreign.runtime import TYPES, Library, LibraryError, register_finder, search, unregister_finder

T = TYPES
SOURCE = "int which(void) {{ return {0}; }}"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names and search as Linux has them")


@pytest.fixture
def make(compile_library, tmp_path):
    """Compile a library whose function `which` returns a number, under a file name in a folder of its own."""

    def compiled(file_name: str, number: int):
        return compile_library(SOURCE.format(number), file_name, tmp_path)

    return compiled


@pytest.fixture
def searched(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """The test's folder, first in what is searched."""
    monkeypatch.setenv("LD_LIBRARY_PATH", f"/nonexistent:{tmp_path}")
    return tmp_path


def which(name: str) -> int:
    return Library(name).bind("which", T["int"])()


def test_a_path_is_opened_as_it_stands(make) -> None:
    assert which(str(make("anything.xyz", 1))) == 1


def test_a_relative_path_needs_a_separator(make, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    make("libhere-1.so", 2)
    monkeypatch.chdir(tmp_path)
    assert which("./libhere-1.so") == 2
    with pytest.raises(LibraryError):
        Library("libhere-1.so")


def test_a_short_name_gets_prefix_and_suffix() -> None:
    assert Library("m").bind("cos", T["double"], [T["double"]])(0.0) == 1.0


def test_a_file_name_is_found_by_the_loader() -> None:
    loaded = Library("libm.so.6")
    assert loaded.path == "libm.so.6"


def test_a_short_name_is_found_in_ld_library_path_as_it_is_now(make, searched) -> None:
    make("libfoundnow.so", 3)
    assert which("foundnow") == 3


def test_a_file_name_is_found_in_ld_library_path_as_it_is_now(make, searched) -> None:
    make("libfilename.so.4", 4)
    assert which("libfilename.so.4") == 4
    assert which("libfilename.so") == 4


def test_without_a_development_link_the_newest_version_serves(make, searched) -> None:
    make("libversioned.so.2", 2)
    make("libversioned.so.10.1", 101)
    make("libversioned.so.10", 10)
    assert which("versioned") == 101


def test_the_development_link_goes_before_versions(make, searched) -> None:
    make("libpreferred.so.9", 9)
    make("libpreferred.so", 1)
    assert which("preferred") == 1


def test_a_version_that_does_not_load_is_passed_over(make, searched) -> None:
    (searched / "libbroken.so.9").write_bytes(b"\x7fELF, but no more")
    make("libbroken.so.1", 1)
    assert which("broken") == 1


@pytest.mark.parametrize(
    "script",
    [
        "/* GNU ld script */\nGROUP ( {folder}/libreal.so.5 AS_NEEDED ( /none.so ) )\n",
        "INPUT(libreal.so.5)\n",
        "INPUT ( /usr/lib/libstatic_nonshared.a, -lother )",
    ],
)
def test_a_linker_script_leads_to_the_library_that_it_names(make, tmp_path, script: str) -> None:
    make("libreal.so.5", 5)
    make("libother.so", 5)
    (tmp_path / "libscript.so").write_text(script.format(folder=tmp_path))
    assert which(str(tmp_path / "libscript.so")) == 5


def test_the_c_library_serves_by_its_short_name() -> None:
    assert Library("c").bind("abs", T["int"], [T["int"]])(-7) == 7


def test_the_error_lists_candidates_answers_and_directories(searched) -> None:
    (searched / "libtext.so").write_text("no library")
    with pytest.raises(LibraryError) as caught:
        Library("text")
    message = str(caught.value)
    for words in (
        "cannot find library 'text'; tried:",
        "libtext.so: ",
        f"{searched}/libtext.so: ",
        "(a text file, not a shared library)",
        f"libtext.so.* in {searched}, ",
    ):
        assert words in message


def test_a_registered_finder_goes_first_until_it_is_unregistered(make) -> None:
    path = str(make("odd-name.bin", 6))

    @register_finder
    def finder(name: str):
        if name == "odd":
            yield "/nonexistent/libodd.so"
            yield path

    try:
        assert which("odd") == 6
        assert Library("m")
    finally:
        unregister_finder(finder)
    with pytest.raises(LibraryError):
        Library("odd")
    with pytest.raises(ValueError):
        unregister_finder(finder)


def test_the_finder_of_an_installed_distribution_is_asked_before_the_search_fails(make, tmp_path) -> None:
    path = make("odd-name.bin", 8)
    (tmp_path / "odd_finder.py").write_text(
        f"def find(name):\n    return iter([{str(path)!r}] * (name == 'odd'))\n"
    )
    for number, target in enumerate(["odd_finder:find", "no_such_module:find"]):
        folder = tmp_path / f"finder{number}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: finder{number}\nVersion: 1\n")
        (folder / "entry_points.txt").write_text(f"[epsilon_foreign.finders]\nfinder = {target}\n")
    program = """
import sys, warnings
sys.path.insert(0, sys.argv[1])
from epsilon.foreign.runtime import Library, LibraryError, TYPES
with warnings.catch_warnings(record=True) as caught:
    print(Library("odd").bind("which", TYPES["int"])())
assert ["no_such_module" in str(warning.message) for warning in caught] == [True]
try:
    Library("odder")
except LibraryError:
    print("not found")
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program, str(tmp_path)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "8\nnot found\n"), done.stderr


def test_the_directories_are_those_of_the_environment_the_configuration_and_the_defaults(tmp_path) -> None:
    found = search.directories()
    assert len(found) == len(set(found))
    assert any(directory.startswith(("/lib", "/usr/lib")) for directory in found)


def test_an_include_in_the_configuration_is_followed_and_not_for_ever(tmp_path) -> None:
    (tmp_path / "extra.conf").write_text("/opt/extra/lib # a comment\nhwcap ignored\n")
    (tmp_path / "ld.so.conf").write_text("include *.conf\n/opt/lib\n")
    listed = search._configured(str(tmp_path / "ld.so.conf"), depth=0)
    assert {"/opt/extra/lib", "/opt/lib"} == set(listed)


def test_no_search_starts_a_process() -> None:
    program = """
import sys

STARTS = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system", "os.spawn")

def watch(event, args):
    if event.partition(".")[0] == "subprocess" or event in STARTS:
        print("started:", event, args)

sys.addaudithook(watch)
from epsilon.foreign.runtime import Library, LibraryError
for name in (None, "m", "c", "z", "sqlite3", "libm.so.6", "no-such-library", "/no/such/path.so"):
    try:
        Library(name)
    except LibraryError:
        pass
print("searched")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "searched\n"
