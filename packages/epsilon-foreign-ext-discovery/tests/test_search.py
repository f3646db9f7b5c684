"""Finding headers and packages without a compiler and without pkg-config."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from epsilon.foreign.ext import discovery
from epsilon.foreign.ext.discovery.libclang import load, locate, regenerate
from epsilon.foreign.ext.discovery.live.bindings import library_of
from epsilon.foreign.ext.discovery.search import include_dirs, package, system_dirs

INDEX = sorted(glob.glob("/usr/lib/llvm-*/include/clang-c/Index.h"))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of .pc files that is searched first."""
    (tmp_path / "one.pc").write_text(
        """
        prefix=/opt/one  # a comment
        includedir=${prefix}/include
        Name: one
        Version: 1.2
        Requires: two >= 3.0, three
        Requires.private: not-there
        Cflags: -I${includedir} -I"${includedir}/with space" -DONE=1 -pthread -fshort-enums
        Libs: -L${prefix}/lib -lone
        """.replace("        ", "")
    )
    (tmp_path / "two.pc").write_text("Name: two\nCflags: -isystem /opt/two\nLibs: -ltwo\nRequires: one\n")
    (tmp_path / "three.pc").write_text("Name: three\nLibs.private: -lhidden\nCflags: -I${pcfiledir}\n")
    monkeypatch.setenv("PKG_CONFIG_PATH", str(tmp_path))
    return tmp_path


def test_a_package_brings_what_it_requires(packages: Path) -> None:
    found = package("one")
    assert found.include_dirs == (
        "/opt/one/include",
        "/opt/one/include/with space",
        "/opt/two",
        str(packages),
    )
    assert found.defines == ("ONE=1",) and found.args == ("-fshort-enums",)
    assert found.libraries == ("one", "two") and found.library_dirs == ("/opt/one/lib",)
    assert found.version == "1.2"


def test_a_missing_package_names_the_folders(packages: Path) -> None:
    with pytest.raises(
        discovery.PackageNotFoundError, match=r"no package 'gone': there is no gone\.pc in"
    ) as raised:
        package("gone")
    assert str(packages) in str(raised.value) and isinstance(raised.value, LookupError)
    (packages / "broken.pc").write_text("Requires: gone\n")
    with pytest.raises(discovery.PackageNotFoundError, match="gone"):
        package("broken")


def test_packages_reach_the_compiler(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "real.h").write_text("int f(int x[SIZE]);")
    (packages / "real.pc").write_text("Cflags: -I${pcfiledir}/inc -DSIZE=3\n")
    assert discovery.parse("real.h", pkg_config="real", cache=False).functions[0].name == "f"


@pytest.mark.skipif(sys.platform != "linux", reason="where headers are depends on the system")
def test_the_systems_headers_are_found_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.exists("/usr/include/stdio.h"):
        pytest.skip("no C library's headers (libc6-dev)")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a program was run"))
    system_dirs.cache_clear()
    assert "/usr/include" in system_dirs()
    system_dirs.cache_clear()


def test_a_compiler_is_asked_where_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    compiler = tmp_path / "cc"
    compiler.write_text(
        f"#!/bin/sh\n(echo '#include <...> search starts here:'; echo ' {tmp_path}/found'; echo ' /gone'\n"
        "echo 'End of search list.') >&2\n"
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(include_dirs, "_UNIX", (str(tmp_path / "nothing"),))
    monkeypatch.setattr(include_dirs, "_MACOS", ())
    system_dirs.cache_clear()
    assert system_dirs() == (f"{tmp_path}/found",)
    system_dirs.cache_clear()


class TestLibclang:
    """Which libclang is used."""

    def test_the_wheel_brings_the_compilers_headers(self) -> None:
        found = locate()
        assert found.library.is_file() and found.resource is not None
        assert (found.resource / "include" / "stddef.h").is_file()

    def test_another_one_can_be_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        known = locate()
        assert locate(known.library) == known == locate(known.library.parent)
        monkeypatch.setenv("EPSILON_FOREIGN_LIBCLANG", str(known.library))
        assert locate() == known

    def test_one_that_is_not_there_is_an_import_error(self, tmp_path: Path) -> None:
        for named in (tmp_path, tmp_path / "libclang.so"):
            with pytest.raises(discovery.ParserUnavailableError, match="no libclang") as raised:
                discovery.parse("stdio.h", libclang=named)
            assert isinstance(raised.value, ImportError)

    def test_a_file_that_is_no_library_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "libclang.so").write_text("not a library")
        with pytest.raises(discovery.ParserUnavailableError, match="cannot be loaded"):
            discovery.parse_text("int f(void);", libclang=tmp_path, cache=False)

    def test_without_any_binding_files_still_load(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        discovery.write_binding(discovery.parse_text("int abs(int x);"), tmp_path / "b.json")
        program = (
            "import sys; sys.modules['clang'] = None\n"
            "from epsilon.foreign.ext import discovery\n"
            "from epsilon.foreign.ext.discovery.libclang import locate as module\n"
            f"print(discovery.load({str(tmp_path / 'b.json')!r}).abs(-3))\n"
            "assert not any('parser' in name or 'libclang.' in name for name in sys.modules if 'discovery' in name "
            "and 'libclang' not in name), sorted(sys.modules)\n"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert ran.stdout == "3\n", ran.stderr

    def test_an_installation_without_headers_uses_those_of_the_machine(self, tmp_path: Path) -> None:
        alone = tmp_path / "libclang.so"
        alone.symlink_to(locate().library)
        found: Any = locate(alone)
        if found.resource is None:
            pytest.skip("no compiler's headers on this machine")
        assert discovery.parse("stddef.h", headers="*", libclang=alone, cache=False).typedefs["size_t"]


class TestOwnBindings:
    """The parser calls libclang through bindings that this package has generated."""

    def test_they_have_whatever_the_parser_calls(self) -> None:
        clang = load(locate().library)
        missing = {name for name in regenerate.called() if not callable(getattr(clang, name))}
        assert not missing and len(regenerate.called()) > 60

    def test_two_libraries_have_bindings_of_their_own(self, tmp_path: Path) -> None:
        other = tmp_path / "libclang.so"
        other.symlink_to(locate().library)
        one, two = load(locate().library), load(other)
        assert one is load(locate().library) and one is not two

    @pytest.mark.skipif(not INDEX, reason="libclang's own header is not installed (libclang-19-dev)")
    def test_they_are_what_the_header_gives(self) -> None:
        folder = str(Path(INDEX[-1]).parent.parent)
        made = discovery.generate(regenerate.declarations(folder), library="clang", release_gil=False)
        assert made == (regenerate.HERE / "bindings.py").read_text(encoding="utf-8")


def test_a_package_names_the_library_too(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "maths.h").write_text("double hypot(double x, double y);")
    (packages / "maths.pc").write_text("Cflags: -I${pcfiledir}\nLibs: -lm\n")
    m = discovery.bind("maths.h", pkg_config="maths", cache=False)
    assert m.hypot(3, 4) == 5.0 and library_of(m).name == "m"
